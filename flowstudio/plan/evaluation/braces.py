"""Finds the {{ … }} and {% … %} of a text, without reading what is in them. Linear whatever the text."""

import re
from collections.abc import Callable, Iterator

_OPENING = re.compile(r"\{\{|\{%")


def blocks(source: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each block in order; one that is never closed reaches to the end of the text."""
    opening = _OPENING.search(source)
    while opening is not None:
        closing = source.find("}}" if opening.group() == "{{" else "%}", opening.end())
        end = len(source) if closing < 0 else closing + 2
        yield opening.start(), end
        opening = _OPENING.search(source, end)


def map_blocks(source: str, change: Callable[[str], str]) -> str:
    """The text with each block replaced by change(block)."""
    pieces: list[str] = []
    position = 0
    for start, end in blocks(source):
        pieces += [source[position:start], change(source[start:end])]
        position = end
    return "".join([*pieces, source[position:]])
