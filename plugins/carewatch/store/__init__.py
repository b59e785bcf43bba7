"""Answer the question: what does the warehouse hold? (the only package that runs SQL)"""
