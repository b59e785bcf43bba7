"""Answer the question: was it right, and what should change?"""
