"""Answer the question: how is each customer doing, in numbers and in one score?"""
