"""Icons drawn from the fonts QtAwesome carries, tinted by token when they are painted.

The fonts are read directly: importing QtAwesome builds all eleven of its fonts (250 ms of a cold start), this reads the
one that is asked for. The interface uses Phosphor; a manifest may name a glyph of any font below.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from flowstudio.providers.manifest import Manifest
from flowstudio.ui.tokens import Palette

FONT_FILES: Mapping[str, str] = {
    "ph": "phosphor-",
    "mdi6": "materialdesignicons6-",
    "fa5s": "fontawesome5-solid-",
    "fa5b": "fontawesome5-brands-",
}
"""QtAwesome's prefixes and how the names of their files begin."""

GLYPHS: Mapping[str, str] = {
    "add": "ph.plus",
    "back": "ph.arrow-left",
    "breakpoint": "ph.record-fill",
    "browse": "ph.folder-open",
    "calendar": "ph.calendar-blank",
    "check": "ph.check",
    "check-mark": "ph.check",
    "chevron-down": "ph.caret-down",
    "chevron-right": "ph.caret-right",
    "chevron-up": "ph.caret-up",
    "close": "ph.x",
    "copy": "ph.copy",
    "cut": "ph.scissors",
    "data": "ph.table",
    "delete": "ph.trash",
    "detach": "ph.arrow-square-out",
    "duplicate": "ph.copy-simple",
    "editor": "ph.flow-arrow",
    "empty": "ph.circle-dashed",
    "error": "ph.warning-circle",
    "fit": "ph.corners-out",
    "fx": "ph.math-operations",
    "file": "ph.file-text",
    "help": "ph.question",
    "home": "ph.house",
    "import": "ph.download-simple",
    "info": "ph.info",
    "json": "ph.brackets-curly",
    "key": "ph.key",
    "live": "ph.broadcast",
    "lock": "ph.lock-simple",
    "log": "ph.list-dashes",
    "more": "ph.dots-three",
    "new": "ph.file-plus",
    "open": "ph.folder-open",
    "paste": "ph.clipboard",
    "problems": "ph.warning",
    "pause": "ph.pause-fill",
    "pin": "ph.push-pin-fill",
    "publish": "ph.rocket-launch",
    "redo": "ph.arrow-u-up-right",
    "remove": "ph.minus",
    "reused": "ph.recycle",
    "run-again": "ph.arrow-clockwise",
    "run": "ph.play-fill",
    "run-input": "ph.play-circle",
    "runs": "ph.clock-counter-clockwise",
    "sample": "ph.sparkle",
    "save": "ph.floppy-disk",
    "schedule": "ph.clock",
    "search": "ph.magnifying-glass",
    "select-all": "ph.selection-all",
    "sliders": "ph.sliders-horizontal",
    "follow": "ph.crosshair-simple",
    "storage": "ph.database",
    "window": "ph.app-window",
    "server": "ph.hard-drives",
    "settings": "ph.gear-six",
    "steps": "ph.squares-four",
    "stop": "ph.stop-fill",
    "theme": "ph.circle-half",
    "triggers": "ph.lightning",
    "undo": "ph.arrow-u-up-left",
    "unsent": "ph.eye",
    "vault": "ph.lock-key",
    "webhook": "ph.share-network",
    "step": "ph.cube",
    "step-over": "ph.skip-forward-fill",
    "state-ok": "ph.check-circle-fill",
    "state-failed": "ph.x-circle-fill",
    "state-running": "ph.spinner-gap",
    "state-waiting": "ph.pause-circle-fill",
    "state-skipped": "ph.minus-circle",
    "state-queued": "ph.circle-dashed",
    "state-cancelled": "ph.prohibit",
    "severity-error": "ph.x-circle-fill",
    "severity-warning": "ph.warning-fill",
    "category-trigger": "ph.lightning",
    "category-logic": "ph.git-fork",
    "category-data": "ph.table",
    "category-http": "ph.globe",
    "category-ai": "ph.sparkle",
    "category-message": "ph.chat-circle-text",
    "category-file": "ph.file",
    "category-code": "ph.brackets-curly",
}
"""What the interface calls an icon, and the glyph that draws it."""


class Icons:
    """Draws glyphs; knows the palette of the moment, so icons handed out earlier follow a theme switch."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette

    def icon(self, name: str, tint: str = "text_2", active: str = "") -> QIcon:
        """An icon of GLYPHS or a QtAwesome name, in the colour of that token; `active` when checked (accent, say)."""

        def paint(painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
            chosen = active if active and state == QIcon.State.On else tint
            colour = QColor(getattr(self.palette, chosen))
            if mode == QIcon.Mode.Disabled:
                colour.setAlphaF(0.4)
            draw_mark(painter, QRectF(rect), name, "", colour)

        return QIcon(_TintedEngine(paint))

    def pixmap(self, name: str, colour: str, size: int, ratio: float = 1.0, title: str = "") -> QPixmap:
        """A glyph as a square of `size` logical pixels; the initials of title when there is no such glyph."""
        picture = _blank(size, ratio)
        painter = QPainter(picture)
        draw_mark(painter, QRectF(0, 0, size, size), name, title, QColor(colour))
        painter.end()
        return picture

    def provider_icon(self, manifest: Manifest, own: str = "") -> QIcon:
        """A provider's mark: its glyph or initials in its category's colour, on a rounded square.

        own: an action's own glyph, in place of its provider's.
        """

        def paint(painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
            colour = self.palette.category(manifest.category)
            draw_badge(painter, QRectF(rect), own or manifest.icon, manifest.title, colour)

        return QIcon(_TintedEngine(paint))


def has_glyph(name: str) -> bool:
    return _glyph(GLYPHS.get(name, name)) is not None


def draw_mark(painter: QPainter, rect: QRectF, name: str, title: str, colour: QColor) -> None:
    """The glyph filling rect, or the initials of title where no font has it."""
    glyph = _glyph(GLYPHS.get(name, name))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    painter.setPen(colour)
    if glyph is None:
        font = QFont(painter.font())
        font.setPixelSize(max(6, round(rect.height() * 0.56)))
        font.setWeight(QFont.Weight.DemiBold)
        text = initials(title)
    else:
        font, text = _font(glyph[0], round(rect.height())), glyph[1]
    painter.setFont(font)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def draw_badge(painter: QPainter, rect: QRectF, name: str, title: str, colour: str) -> None:
    """A mark on a rounded square of its own colour, thinned to a tint."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    tint = QColor(colour)
    tint.setAlphaF(0.16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    painter.drawRoundedRect(rect, rect.height() * 0.26, rect.height() * 0.26)
    painter.restore()
    inset = rect.height() * 0.17
    draw_mark(painter, rect.adjusted(inset, inset, -inset, -inset), name, title, QColor(colour))


def initials(title: str) -> str:
    """One or two letters that stand for a name: "Google Sheets" gives GS, "Slack" gives S."""
    words = [word for word in title.replace("_", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


class IconLabel(QWidget):
    """Shows an icon, drawn anew with every paint: it follows a theme switch where a pixmap would not."""

    def __init__(self, icon: QIcon, size: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setFixedSize(size, size)

    def show_icon(self, icon: QIcon) -> None:
        self._icon = icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, self.rect())
        painter.end()


class _TintedEngine(QIconEngine):
    """Asks for the drawing each time, so a colour is never stale."""

    def __init__(self, draw: Callable[[QPainter, QRect, QIcon.Mode, QIcon.State], None]) -> None:
        super().__init__()
        self._draw = draw

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        self._draw(painter, rect, mode, state)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self._draw(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._draw)


def _blank(size: int, ratio: float) -> QPixmap:
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


def _glyph(name: str) -> tuple[str, str] | None:
    """Font prefix and character of "ph.house"; None when no font has it."""
    prefix, _, key = name.partition(".")
    character = _charmap(prefix).get(key) if prefix in FONT_FILES else None
    return (prefix, character) if character else None


@cache
def _charmap(prefix: str) -> Mapping[str, str]:
    path = next(_fonts_folder().glob(f"{FONT_FILES[prefix]}*charmap*.json"))
    codes = json.loads(path.read_text(encoding="utf-8"))
    return {key: chr(int(code, 16)) for key, code in codes.items()}


@cache
def _font(prefix: str, size: int) -> QFont:
    font = QFont(_family(prefix))
    font.setPixelSize(max(1, size))
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


@cache
def _family(prefix: str) -> str:
    path = next(_fonts_folder().glob(f"{FONT_FILES[prefix]}*.ttf"))
    return QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))[0]


@cache
def _fonts_folder() -> Path:
    found = find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("The package QtAwesome, which holds the icon fonts, is not installed.")
    return Path(found.submodule_search_locations[0]) / "fonts"
