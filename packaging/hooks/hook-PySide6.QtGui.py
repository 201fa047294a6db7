"""Stands in for PyInstaller's own hook: the same, without the plugins that FlowStudio never loads.

They go before PyInstaller looks at what its files need, so that the libraries of GTK, of a frame buffer or of
Qt's network stack do not come along.
"""

from pathlib import PurePath

from PyInstaller.utils.hooks.qt import add_qt6_dependencies

UNUSED_KINDS = (
    "generic",  # touch screens and tablets without a desktop
    "egldeviceintegrations", "wayland-graphics-integration-client", "xcbglintegrations",  # OpenGL: all is painted
)  # fmt: skip
UNUSED = (
    "qeglfs", "qlinuxfb", "qminimal", "qminimalegl", "qvkkhrdisplay", "qvnc", "qdirect2d",  # screens without a desktop
    "qgtk3",  # the looks are FlowStudio's own; it would bring all of GTK
    "qtvirtualkeyboardplugin",
    "qicns", "qpdf", "qtga", "qtiff", "qwbmp", "qwebp",  # pictures the window never shows
)  # fmt: skip


def _is_used(source: str) -> bool:
    path = PurePath(source)
    return path.parent.name not in UNUSED_KINDS and path.name.split(".")[0].removeprefix("lib") not in UNUSED


_modules, _plugins, datas = add_qt6_dependencies(__file__)
hiddenimports = [name for name in _modules if name not in ("PySide6.QtDBus", "PySide6.QtNetwork")]
binaries = [(source, folder) for source, folder in _plugins if _is_used(source)]
