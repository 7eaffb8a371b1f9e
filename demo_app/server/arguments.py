"""Command lines whose errors are one line, and the types of the arguments that server and app share."""

from __future__ import annotations

import argparse
import math
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage: the app shows what its server says in a window."""

    def error(self, message: str) -> NoReturn:
        """End the process with code 2."""
        self.exit(2, f"{self.prog}: error: {message} (--help lists the options)\n")


def port(text: str) -> int:
    """Read a port."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use 0 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Read a waiting time."""
    number = _float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no waiting time: use seconds from 0")
    return number


def share(text: str) -> float:
    """Read a share of a whole, 0 to 1."""
    number = _float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: use 0 to 1, such as 0.3")
    return number


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # compares as false with every bound
