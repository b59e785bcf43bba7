"""Answer the question: what can an attempt to send come to, when it does not succeed?

A channel raises one of these two; the outbox decides by them whether an attempt may be repeated.
"""

from __future__ import annotations


class Refused(Exception):
    """The message was certainly not delivered: it may be sent again. The text is kept for the audit."""


class Doubtful(Exception):
    """The message went out and no answer came: it may have arrived, so it is never sent again by itself."""
