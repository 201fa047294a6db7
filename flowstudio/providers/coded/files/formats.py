"""Bytes of a file <-> JSON value: text, JSON, CSV, binary as base64."""

import base64
import binascii
import codecs
import csv
import io
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.plan.reading.json_text import value_of
from flowstudio.providers.coded.params import as_text
from flowstudio.providers.errors import BadAnswerError, BadParamError

MAX_CSV_FIELD: Final = 16 * 1024 * 1024


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    BINARY = "binary"


SUFFIXES: Final = {".json": Format.JSON, ".csv": Format.CSV, ".tsv": Format.CSV}


def decoded(content: bytes, form: Format, encoding: str, delimiter: str, where: str) -> Json:
    """The value in a file's bytes. where: the file, for sentences. Raises BadAnswerError when they do not fit."""
    if form is Format.BINARY:
        return base64.b64encode(content).decode("ascii")
    text = _text(content, encoding, where)
    if form is Format.TEXT:
        return text
    if form is Format.JSON:
        return _json(text, where)
    return _rows(text, delimiter, where)


def encoded(value: Json, form: Format, encoding: str, delimiter: str) -> bytes:
    """The bytes to write. CSV from a list of objects or of lists. Raises BadParamError."""
    if form is Format.BINARY:
        return _binary(value)
    if form is Format.CSV:
        text = csv_text(value, delimiter)
    elif form is Format.JSON:
        text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    else:
        text = as_text(value)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        found = text[error.start]
        character = f"'{found}'" if found.isprintable() else f"U+{ord(found):04X}"
        raise BadParamError(
            f"The character {character} cannot be written in the encoding {encoding}.", fix="Use utf-8."
        ) from None


def csv_text(value: Json, delimiter: str, columns: Sequence[str] | None = None, header: bool = True) -> str:
    """Rows with one header line: all fields in order of first appearance, or the given columns."""
    rows = _csv_rows(value)
    names = list(columns) if columns is not None else columns_of(rows)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")  # RFC 4180
    if header and names:
        writer.writerow(names)
    for row in rows:
        cells = row if isinstance(row, list) else [row.get(name) for name in names]
        writer.writerow([as_text(cell) for cell in cells])
    return out.getvalue()


def columns_of(rows: Sequence[object]) -> list[str]:
    """The fields of all objects, in order of first appearance; none for rows that are lists."""
    return list(dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row))


def checked_encoding(encoding: str) -> str:
    """The encoding when Python knows it as one of text. Raises BadParamError."""
    try:
        if codecs.lookup(encoding)._is_text_encoding:  # codecs has no public way to ask
            return encoding
    except (LookupError, ValueError):  # ValueError: a NUL, a lone surrogate
        pass
    raise BadParamError(f"There is no text encoding '{encoding[:40]}'.", fix="Use utf-8, utf-16, latin-1 or cp1252.")


def checked_delimiter(delimiter: str) -> str:
    delimiter = delimiter.replace("\\t", "\t").replace("tab", "\t")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BadParamError(f"The delimiter must be one character, not '{delimiter[:40]}'.", fix="Use , or ; or tab.")
    return delimiter


def _text(content: bytes, encoding: str, where: str) -> str:
    try:
        return content.decode("utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding)
    except UnicodeDecodeError as error:
        raise BadAnswerError(
            f"{where} is not text in the encoding {encoding} (byte {error.start + 1}).",
            fix="Choose another encoding, for instance cp1252, or read it as binary.",
        ) from None


def _json(text: str, where: str) -> Json:
    try:
        return value_of(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise BadAnswerError(f"{where} is not valid JSON ({at}): {error.msg}.") from None
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(f"{where} is not valid JSON: {error}.") from None


def _rows(text: str, delimiter: str, where: str) -> Json:
    """A list of objects named by the first line; cells stay text, short lines get nulls, extra cells `column_N`."""
    csv.field_size_limit(MAX_CSV_FIELD)
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise BadAnswerError(f"{where} is not readable as CSV: {error}.") from None
    if not lines:
        return []
    names = _unique([name.strip() for name in lines[0]], max(map(len, lines)))
    return [{name: row[i] if i < len(row) else None for i, name in enumerate(names)} for row in lines[1:]]


def _unique(header: list[str], width: int) -> list[str]:
    """Every column a name of its own, so that no cell is lost."""
    names: list[str] = []
    for position in range(width):
        name = header[position] if position < len(header) else ""
        name = name or f"column_{position + 1}"
        names.append(name if name not in names else f"{name}_{position + 1}")
    return names


def _csv_rows(value: Json) -> "list[list[Json] | dict[str, Json]]":
    rows: list[list[Json] | dict[str, Json]] = []
    for position, row in enumerate(value if isinstance(value, list) else [value], start=1):
        if isinstance(row, dict | list):
            rows.append(row)
        else:
            raise BadParamError(
                f"CSV is written from a list of objects, but row {position} is '{as_text(row)[:40]}'.",
                fix="Point the content at a list of objects, for instance the output of a filter.",
            )
    return rows


def _binary(value: Json) -> bytes:
    if not isinstance(value, str):
        raise BadParamError("Binary content must be base64 text.")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadParamError("The content is not valid base64.", fix="Use the output of a binary read.") from None
