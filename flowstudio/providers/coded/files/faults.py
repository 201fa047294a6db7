"""What the operating system says about a file, as a sentence."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowstudio.providers.errors import BadParamError, NotFoundError, ProviderError


class FileFaultError(ProviderError):
    """The operating system refused to read or write a file."""

    code = "provider.file"


@contextmanager
def told(path: Path, doing: str) -> Iterator[None]:
    """Translates OSErrors about the path. doing: "read", "written", "listed" and so on."""
    try:
        yield
    except OSError as error:
        raise _fault(error, path, doing) from error


def _fault(error: OSError, path: Path, doing: str) -> ProviderError:
    facts = {"path": str(path), "errno": error.errno}
    match error.errno:
        case errno.ENOENT:
            return NotFoundError(f"There is no {path}.", fix="Check the path.", facts=facts)
        case errno.EACCES | errno.EPERM:
            fix = "Change its permissions or choose another place."
            return FileFaultError(f"{path} may not be {doing} by this user.", fix=fix, facts=facts)
        case errno.ENOSPC | errno.EDQUOT:
            fix = "Free some space or choose another place; a file that was there before is unchanged."
            return FileFaultError(f"The disk is full: {path} could not be {doing}.", fix=fix, facts=facts)
        case errno.EROFS:
            fix = "Choose another place."
            return FileFaultError(f"{path} lies on a read-only disk and cannot be {doing}.", fix=fix, facts=facts)
        case errno.EISDIR:
            return BadParamError(f"{path} is a folder, not a file.", facts=facts)
        case errno.ENOTDIR | errno.EEXIST:
            return BadParamError(f"A part of {path} is a file where a folder is needed.", facts=facts)
        case errno.ENAMETOOLONG:
            return BadParamError(f"The path is too long: {str(path)[:60]}…", facts=facts)
    reason = error.strerror or type(error).__name__
    return FileFaultError(f"{path} could not be {doing}: {reason}.", facts=facts)
