"""Answer the question: what do we do about it, who does it, and by when?"""
