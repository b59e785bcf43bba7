"""Answer the question: what does a configuration say, in plain sentences for people who do not read YAML?"""

from carewatch.spec.plain.document import Sentences, everything, named

__all__ = ["Sentences", "everything", "named"]
