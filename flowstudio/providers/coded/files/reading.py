"""files.read and files.list."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.coded.files.faults import told
from flowstudio.providers.coded.files.formats import SUFFIXES, Format, checked_delimiter, checked_encoding, decoded
from flowstudio.providers.coded.params import Params
from flowstudio.providers.errors import ActionCancelledError, BadAnswerError, BadParamError, NotFoundError
from flowstudio.providers.ports import ActionContext, Cancel
from flowstudio.providers.result import ProviderResult

CHUNK: Final = 1024 * 1024
MEGABYTE: Final = 1024 * 1024


def read(ctx: ActionContext) -> ProviderResult:
    """Output: the content itself: text, a JSON value, a list of objects (CSV) or base64 text (binary)."""
    params = Params(ctx)
    path = path_of(params, "path")
    encoding = checked_encoding(params.text("encoding", "utf-8") or "utf-8")
    max_bytes = min(params.integer("max_mb", 50, minimum=1) * MEGABYTE, ctx.limits.max_bytes)
    content = _content(path, max_bytes, ctx.call.cancel)
    form = format_of(params, path)
    value = decoded(content, form, encoding, delimiter_of(params, path), path.name)
    metadata: dict[str, Json] = {"path": str(path), "size_bytes": len(content), "format": form.value}
    return ProviderResult(True, value, f"{path.name}: {_amount(value, form, len(content))} read", metadata)


def list_folder(ctx: ActionContext) -> ProviderResult:
    """Output: [{"name", "path", "folder", "size_bytes", "modified", "is_folder"}] by path."""
    params = Params(ctx)
    folder, pattern = path_of(params, "folder"), params.text("pattern", "*") or "*"
    limit = params.integer("limit", 10_000, minimum=1)
    with told(folder, "listed"):
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise NotFoundError(f"The folder {folder} {what}.", fix="Check the path.")
        entries = list(_entries(folder, pattern, params.flag("recursive", False), limit, ctx.call.cancel))
    entries.sort(key=lambda entry: str(entry["path"]))
    if len(entries) == limit:
        ctx.log("warning", f"Only the first {limit} files of {folder} are listed.")
    listed: list[Json] = list(entries)
    return ProviderResult(True, listed, f"{len(listed)} files in {folder.name or folder}")


def path_of(params: Params, name: str, given: str | None = None) -> Path:
    """An absolute path; ~ is the user's home folder. given: the text, when it is not all of the param."""
    text = params.required_text(name) if given is None else given
    if "\0" in text:
        raise params.fault(name, "holds a character that no path can have")
    try:
        path = Path(text.strip()).expanduser()
    except RuntimeError:
        raise params.fault(name, f"begins with ~, but the home folder of '{text}' is not known") from None
    if not path.is_absolute():
        raise params.fault(name, f"must be a full path, not '{text}'", "Begin with ~/ for your home folder.")
    return path


def format_of(params: Params, path: Path) -> Format:
    chosen = params.choice("format", ("auto", *Format), "auto")
    return SUFFIXES.get(path.suffix.lower(), Format.TEXT) if chosen == "auto" else Format(chosen)


def delimiter_of(params: Params, path: Path) -> str:
    given = params.text("delimiter")
    return checked_delimiter(given) if given else ("\t" if path.suffix.lower() == ".tsv" else ",")


def _content(path: Path, max_bytes: int, cancel: Cancel) -> bytes:
    with told(path, "read"):
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise BadParamError(f"{path} is a folder, not a file.")
        if not stat.S_ISREG(info.st_mode):
            raise BadParamError(f"{path} is not a file with content but a device or a pipe.")
        parts, size = [], 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                parts.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(path, max(info.st_size, size), max_bytes)
                if cancel.is_set:
                    raise ActionCancelledError(f"Reading {path.name} was cancelled.")
    return b"".join(parts)


def _too_large(path: Path, size: int, max_bytes: int) -> BadAnswerError:
    sizes = f"{size / MEGABYTE:.1f} MB, more than the limit of {max_bytes / MEGABYTE:.0f} MB"
    return BadAnswerError(f"{path.name} has {sizes}.", fix="Raise the size limit of the step, or split the file.")


def _entries(folder: Path, pattern: str, recursive: bool, limit: int, cancel: Cancel) -> Iterator[dict[str, Json]]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise BadParamError(f"The pattern '{pattern}' must stay inside the folder.", fix="Use something like *.csv.")
    found = folder.rglob(pattern) if recursive else folder.glob(pattern)
    for _, path in zip(range(limit), found, strict=False):
        if cancel.is_set:
            raise ActionCancelledError(f"Listing {folder} was cancelled.")
        try:
            info = path.stat()
        except OSError:
            info = path.lstat()  # a link to nowhere is listed as what it is
        yield _entry(path, info)


def _entry(path: Path, info: os.stat_result) -> dict[str, Json]:
    return {
        "name": path.name,
        "path": str(path),
        "folder": str(path.parent),
        "size_bytes": info.st_size,
        "modified": datetime.fromtimestamp(info.st_mtime, UTC).isoformat(timespec="seconds"),
        "is_folder": stat.S_ISDIR(info.st_mode),
    }


def _amount(value: Json, form: Format, size_bytes: int) -> str:
    return f"{len(value)} rows" if form is Format.CSV and isinstance(value, list) else f"{size_bytes} bytes"
