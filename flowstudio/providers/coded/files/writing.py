"""files.write, copy, move, delete. A write is whole or not at all: temporary file, fsync, rename."""

import csv
import io
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flowstudio.plan.model import Json
from flowstudio.providers.coded.files.faults import told
from flowstudio.providers.coded.files.formats import Format, checked_encoding, columns_of, csv_text, decoded, encoded
from flowstudio.providers.coded.files.reading import delimiter_of, format_of, path_of
from flowstudio.providers.coded.params import Params
from flowstudio.providers.errors import BadParamError, NotFoundError
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.result import ProviderResult

MODES = ("overwrite", "append", "fail")


def write(ctx: ActionContext) -> ProviderResult:
    """Output: {"path", "name", "size_bytes"}; missing folders are made."""
    params = Params(ctx)
    path, mode = path_of(params, "path"), params.choice("mode", MODES, "overwrite")
    encoding, delimiter = checked_encoding(params.text("encoding", "utf-8") or "utf-8"), delimiter_of(params, path)
    if not path.name:
        raise BadParamError(f"{path} is a folder, not a file.")
    form, content = format_of(params, path), params.raw("content")
    if form in (Format.JSON, Format.CSV) and isinstance(content, str):
        content = _structured(content, form, delimiter)
    with told(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode == "append":
            size = _append(path, _addition(path, content, form, encoding, delimiter))
        else:
            data = encoded(content, form, encoding, delimiter)
            size = _replace(path, data) if mode == "overwrite" else _create(path, data)
    output: dict[str, Json] = {"path": str(path), "name": path.name, "size_bytes": path.stat().st_size}
    return ProviderResult(True, output, f"{path.name} written ({size} bytes)", {"path": str(path)})


def copy(ctx: ActionContext) -> ProviderResult:
    return _transfer(ctx, lambda source, target: shutil.copy2(source, target), "copied")


def move(ctx: ActionContext) -> ProviderResult:
    return _transfer(ctx, lambda source, target: shutil.move(source, target), "moved")


def delete(ctx: ActionContext) -> ProviderResult:
    """Deletes one file, never a folder. Output: {"path", "deleted"}."""
    params = Params(ctx)
    path = path_of(params, "path")
    with told(path, "deleted"):
        if path.is_dir() and not path.is_symlink():
            raise BadParamError(f"{path} is a folder; only files are deleted.")
        existed = path.exists() or path.is_symlink()
        if not existed and not params.flag("missing_ok", False):
            raise NotFoundError(f"There is no {path} to delete.", fix="Check the path, or allow it to be missing.")
        path.unlink(missing_ok=True)
    return ProviderResult(
        True, {"path": str(path), "deleted": existed}, f"{path.name} deleted" if existed else "Nothing to delete"
    )


def _transfer(ctx: ActionContext, act: Callable[[Path, Path], object], done: str) -> ProviderResult:
    params = Params(ctx)
    source, target = path_of(params, "path"), path_of(params, "to")
    if target.is_dir():
        target = target / source.name
    with told(source, done):
        if not source.is_file():
            raise NotFoundError(f"There is no file {source}.", fix="Check the path.")
        if target.exists() and source.samefile(target):
            raise BadParamError(f"{source} cannot be {done} onto itself.")
        if target.exists() and not params.flag("overwrite", False):
            raise BadParamError(f"{target} exists already.", fix="Allow it to be replaced, or choose another name.")
    with told(target, "written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        act(source, target)
    output: dict[str, Json] = {"path": str(target), "name": target.name, "size_bytes": target.stat().st_size}
    return ProviderResult(True, output, f"{source.name} {done} to {target}", {"path": str(target)})


def _structured(text: str, form: Format, delimiter: str) -> Json:
    """Text given for JSON or CSV is taken as already in that form, and checked."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise BadParamError("The content holds half of a character pair, which no file can hold.") from None
    return decoded(data, form, "utf-8", delimiter, "The content")


def _replace(path: Path, data: bytes) -> int:
    """Readers see the old file or the new one, never a part; a full disk leaves the old one."""
    target = path.resolve() if path.is_symlink() else path
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    return len(data)


def _create(path: Path, data: bytes) -> int:
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        fix = "Choose another name, or let the step overwrite it."
        raise BadParamError(f"{path} exists already.", fix=fix) from None
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    return len(data)


def _append(path: Path, data: bytes) -> int:
    """A failed append (disk full) leaves the file as it was."""
    with path.open("ab") as file:
        before = file.tell()
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.truncate(path, before)
            raise
    return len(data)


def _addition(path: Path, content: Json, form: Format, encoding: str, delimiter: str) -> bytes:
    """What an append adds: CSV rows under the file's own header, one JSON line, or the content itself."""
    has_content = path.exists() and path.stat().st_size > 0
    if form is Format.JSON:
        raise BadParamError("A JSON file cannot be appended to: it holds one value.", fix="Write text or CSV instead.")
    if form is not Format.CSV or not has_content:
        return encoded(content, form, encoding, delimiter)
    columns = _header(path, encoding, delimiter)
    rows = content if isinstance(content, list) else [content]
    if unknown := [name for name in columns_of(rows) if name not in columns]:
        raise BadParamError(f"{path.name} has no column '{unknown[0]}'.", fix=f"Its columns are {', '.join(columns)}.")
    return csv_text(content, delimiter, columns, header=False).encode(encoding)


def _header(path: Path, encoding: str, delimiter: str) -> list[str]:
    with path.open(
        "r", encoding="utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding, newline=""
    ) as file:
        first = file.readline(1024 * 1024)
    return next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
