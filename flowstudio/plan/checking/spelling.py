"""What a wrong name was probably meant to be."""

import difflib
from collections.abc import Sequence

_MOST = 2000
"""Names that are compared; more would take longer than the hint is worth."""


def closest(word: str, known: Sequence[str]) -> str:
    """ "Did you mean x?" or ""."""
    near = difflib.get_close_matches(word[:80], known[:_MOST], n=1)
    return f"Did you mean {near[0]}?" if near else ""
