"""Prints the Debian packages that Qt needs here and that are missing, one line, empty when nothing is.

Standard library only: it runs before anything is installed. `--tests` adds what only the tests need.
Source of the list: Qt 6.11 on Debian 12, found by running the offscreen and xcb platforms until nothing was missing.
"""

import ctypes
import glob
import shutil
import sys

LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONT_PATTERNS = ("/usr/share/fonts/**/*.[to]tf", "/usr/local/share/fonts/**/*.[to]tf")


def missing_packages(*, for_tests: bool) -> list[str]:
    """Debian package names, in a stable order. Empty anywhere but on Linux, where Qt brings its own."""
    if sys.platform != "linux":
        return []
    missing = [package for soname, package in LIBRARIES.items() if not _loads(soname)]
    if not any(glob.glob(pattern, recursive=True) for pattern in FONT_PATTERNS):
        missing.append("fonts-dejavu-core")  # without any font all text is boxes, and nothing complains
    if for_tests and not (shutil.which("initdb") or glob.glob("/usr/lib/postgresql/*/bin/initdb")):
        missing.append("postgresql")
    if for_tests and not shutil.which("objdump"):
        missing.append("binutils")  # PyInstaller reads shared libraries with it
    return missing


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    print(" ".join(missing_packages(for_tests="--tests" in sys.argv[1:])))
