"""Plan files on disk: read whole, written whole or not at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from flowstudio.plan.document import read_plan
from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Plan
from flowstudio.workspace.errors import DiskFullError, FileUnreadableError, ReadOnlyError, StorageError

MAX_PLAN_BYTES = 64 * 1024 * 1024


def read_file(path: Path) -> bytes:
    """The file's bytes. Raises FileUnreadableError with a sentence."""
    try:
        with path.open("rb") as stream:  # what the file system says of its size is not asked: a device has no end
            content = stream.read(MAX_PLAN_BYTES + 1)
    except FileNotFoundError as error:
        raise FileUnreadableError(f"There is no file {path}.", fix="Check the path.") from error
    except IsADirectoryError as error:
        raise FileUnreadableError(f"{path} is a folder.", fix="Name a .flow file in it.") from error
    except PermissionError as error:
        raise FileUnreadableError(f"{path} may not be read.", fix="Change the file's permissions.") from error
    except OSError as error:
        raise FileUnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_PLAN_BYTES:
        raise FileUnreadableError(f"{path} is larger than {MAX_PLAN_BYTES >> 20} MB, too large for a plan.")
    return content


def read_plan_file(path: Path) -> Plan:
    """A `.flow` file or a plan in the API's shape. Raises FileUnreadableError, or DocumentError naming the file."""
    data = read_file(path)
    try:
        return read_plan(data)
    except DocumentError as error:
        raise DocumentError(
            f"{path.name}: {error.sentence}", fix=error.fix, where=error.where, line=error.line, column=error.column
        ) from error


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replaces the file in one step: a crash or a full disk leaves the old one as it was.

    content: all of it, or its pieces, which may be made while they are written. What making them raises leaves the old
    file, too.

    Raises DiskFullError, ReadOnlyError or StorageError.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.writelines([content] if isinstance(content, bytes) else content)
            stream.flush()
            os.fsync(stream.fileno())
        _keep_mode(path, temporary)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise _storage_error(path, error) from error
        raise


def _keep_mode(path: Path, temporary: str) -> None:
    """mkstemp makes private files; the plan keeps the mode it had, a new one gets what the umask allows."""
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0o077)
        os.umask(umask)
        mode = 0o666 & ~umask
    os.chmod(temporary, mode)


def _storage_error(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"{path} was not saved: the disk is full.", fix="Free some space or save it elsewhere; nothing was lost."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyError(f"{path} was not saved: its folder may not be written to.", fix="Save it elsewhere.")
    return StorageError(f"{path} was not saved: {error.strerror}.", fix="Save it elsewhere.")
