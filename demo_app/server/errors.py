"""Why the server does not start."""

from __future__ import annotations


class StartError(Exception):
    """Something outside the program has to be put right first; the message is one line for whoever started it."""
