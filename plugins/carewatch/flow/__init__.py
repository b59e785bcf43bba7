"""Answer the question: in which order are things done? (the shell that reads, calls a room and writes)"""
