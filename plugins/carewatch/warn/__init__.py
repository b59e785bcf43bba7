"""Answer the question: what is odd about a customer, and how bad is it?"""
