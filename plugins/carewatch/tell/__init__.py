"""Answer the question: who must hear of it, in which words, and why (not)?"""
