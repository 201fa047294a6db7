"""What the window remembers between starts: a small file in the data folder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from flowstudio.ui.tokens import Theme

RECENT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class LastSession:
    """How the session before this one ended. open_plans: ids of the plans that were open when it ended by a crash.

    kept: names of the plans that were closed with the window although they had unsaved changes.
    """

    was_closed: bool
    open_plans: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()


class WindowState:
    """Losing this file loses nothing but comfort."""

    def __init__(self, data_dir: Path) -> None:
        self._file = QSettings(str(data_dir / "window.ini"), QSettings.Format.IniFormat)

    def begin(self) -> LastSession:
        """Marks the window as open; what the last one left behind."""
        was_closed = bool(self._file.value("session/closed", True, type=bool))
        left = LastSession(was_closed, frozenset(self._list("session/open")), tuple(self._list("session/kept")))
        self._file.setValue("session/closed", False)
        self._file.setValue("session/kept", [])
        self._file.sync()
        return left

    def keep_open_plans(self, plan_ids: Iterable[str]) -> None:
        """Written at once: after a crash it tells which drafts were under the hand."""
        self._file.setValue("session/open", [*plan_ids])
        self._file.sync()

    def end(self, kept: Sequence[str] = ()) -> None:
        """kept: names of plans that have unsaved changes; the next session says where they are."""
        self._file.setValue("session/closed", True)
        self._file.setValue("session/open", [])
        self._file.setValue("session/kept", [*kept])
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
        return [Path(name) for name in self._list("files/recent")]

    def keep_recent(self, file: Path) -> None:
        files = [file, *(each for each in self.recent if each != file)]
        self._file.setValue("files/recent", [str(each) for each in files[:RECENT_LIMIT]])

    def _list(self, key: str) -> list[str]:
        """A list of one comes back as its only member."""
        value = self._file.value(key, [])
        return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, list) else []
