"""Answer the question: how do a source system's rows get into the landing, whole and only once?"""
