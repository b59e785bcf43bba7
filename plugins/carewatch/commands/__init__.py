"""Answer the question: what can be done from a shell?"""
