"""What must not leave in an export: what the vault gave, what looks like a secret, what a name calls one.

A secret that was written into a plan, or came with what started the run, is known by its name there; its value is then
hidden wherever else in the run it turns up, as a server echoes it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flowstudio.engine.model import Run
from flowstudio.plan.document import to_document
from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.model import Json
from flowstudio.providers.secret_names import is_secret_field, is_secret_parameter
from flowstudio.vault.redact import MASK, SHORTEST, Redactor
from flowstudio.workspace.public_address import RESUME
from flowstudio.workspace.run_log import LogLine

NAME = re.compile(r"""(?<![\w.\[\]-])(?P<open>\\{0,3}["']?)(?P<name>[\w.\[\]-]{2,60})(?P=open)\s*[:=]\s*""")
VALUE = re.compile(
    r"""(?P<mark>\\{0,3}")(?P<quoted>(?:(?!(?P=mark))(?:[^\\]|\\.))*)|'(?P<single>[^']*)|(?P<bare>[^\s"'&,;}\])>]+)""",
    re.DOTALL,
)
"""A name and what follows it as JSON, forms, addresses and headers write them."""

SCHEME = re.compile(r"(?i)^(?:bearer|basic|token|bot|digest)\s+")
QUERY = "?&"
RESUMING = re.compile(rf"({re.escape(RESUME)}|{re.escape(quote(RESUME, safe=''))})[\w-]{{16,}}", re.IGNORECASE)
"""Where a call resumes a run, also one that is none of this export's: who knows the address may."""

MARKS = ("{{", MASK)
"""A value that begins so is no secret: it is read from elsewhere, or hidden already."""


class ExportMask:
    """Masks what a run's export shows."""

    def __init__(self, redactor: Redactor, run: Run) -> None:
        found = {*_secrets(to_document(run.plan)), *_secrets(run.trigger.data)}
        self._redactor = redactor.also([*found, run.resume_key])

    def text(self, text: str) -> str:
        if len(text) < SHORTEST:
            return text
        text = RESUMING.sub(rf"\g<1>{MASK}", self._redactor.text(text))
        pieces, end = [], 0
        for start, stop in _named(text):
            if not text.startswith(MARKS, start):
                pieces.append(f"{text[end:start]}{MASK}")
                end = stop
        return "".join([*pieces, text[end:]])

    def lines(self, lines: Sequence[LogLine]) -> Sequence[LogLine]:
        return [replace(line, text=self.text(line.text)) for line in lines]

    def value(self, value: Any) -> Any:
        """The same value with its secrets hidden; parts that lie in files are masked when they are brought."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            is_named = isinstance(value.get("name"), str) and is_secret_field(value["name"])
            return {
                self.text(key): MASK if _is_secret(key, each) or (is_named and key == "value") else self.value(each)
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return _Masked(self, value) if isinstance(value, Deferred) else value


class _Masked(Deferred):
    """A part in a file, masked as it is brought."""

    __slots__ = ("_mask", "_part", "is_list", "length", "size")

    def __init__(self, mask: ExportMask, part: Deferred) -> None:
        self._mask = mask
        self._part = part
        self.size, self.length, self.is_list = part.size, part.length, part.is_list

    def load(self) -> Json:
        masked: Json = self._mask.value(self._part.load())
        return masked


def _is_secret(name: object, value: object) -> bool:
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return is_plain and isinstance(name, str) and is_secret_field(name) and value != ""


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Where values stand, without quotes, whose names call them secret.

    The value of another name is looked through as well: it may hold names and values of its own.
    """
    at = 0
    while found := NAME.search(text, at):
        at = found.end()
        if _names_secret(found) and (value := VALUE.match(text, at)):
            yield value.span(value.lastgroup or 0)  # also of a quotation that was cut off
            at = value.end()


def _names_secret(found: re.Match[str]) -> bool:
    name, start = found["name"], found.start()
    in_address = start > 0 and found.string[start - 1] in QUERY
    return is_secret_parameter(name) if in_address else is_secret_field(name)


def _secrets(value: Any) -> Iterator[str]:
    """Values whose names call them secret, wherever they stand in value."""
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and isinstance(name, str) and is_secret_field(name):
                yield from _spoken(each)
            else:
                yield from _secrets(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secrets(each)
    elif isinstance(value, str):
        for start, stop in _named(value):
            yield from _spoken(value[start:stop])


def _spoken(value: str) -> Iterator[str]:
    """The value, and what follows the word before it: `Bearer abc` is as secret as abc."""
    if not value.startswith(MARKS):
        yield value
        yield SCHEME.sub("", value)
