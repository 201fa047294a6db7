"""What the window remembers between starts: a small file in the data folder."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from flowstudio.ui.tokens import Theme

RECENT_LIMIT = 10


class WindowState:
    """Losing this file loses nothing but comfort."""

    def __init__(self, data_dir: Path) -> None:
        self._file = QSettings(str(data_dir / "window.ini"), QSettings.Format.IniFormat)

    def begin(self) -> bool:
        """Marks the window as open; False when the last one was never closed: it crashed, or was killed."""
        was_closed = self._file.value("session/closed", True, type=bool)
        self._file.setValue("session/closed", False)
        self._file.sync()
        return bool(was_closed)

    def end(self) -> None:
        self._file.setValue("session/closed", True)
        self._file.sync()

    def theme(self, default: str) -> Theme:
        chosen = str(self._file.value("look/theme", default))
        return Theme(chosen) if chosen in [*Theme] else Theme.SYSTEM

    def keep_theme(self, theme: Theme) -> None:
        self._file.setValue("look/theme", theme.value)

    def layout(self, name: str) -> QByteArray:
        """Geometry of the window or arrangement of its docks; empty when there is none."""
        value = self._file.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_layout(self, name: str, value: QByteArray) -> None:
        self._file.setValue(f"layout/{name}", value)

    @property
    def recent(self) -> Sequence[Path]:
        """Files opened or saved, newest first."""
        value = self._file.value("files/recent", [])
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        return [Path(str(name)) for name in names]

    def keep_recent(self, file: Path) -> None:
        files = [file, *(each for each in self.recent if each != file)]
        self._file.setValue("files/recent", [str(each) for each in files[:RECENT_LIMIT]])
