"""The look: one style sheet filled from the tokens, on Qt's Fusion style; light, dark or as the desktop says."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from flowstudio.paths import resources
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import DARK, LIGHT, MONO, SANS, SIZE_BODY, Palette, Theme, mix

SHEET_ICONS: Mapping[str, str] = {
    "chevron_down": "text_2",
    "chevron_up": "text_2",
    "chevron_right": "text_3",
    "check": "on_accent",
    "check_mark": "accent",
    "close": "text_3",
    "detach": "text_3",
}
"""Pictures the style sheet itself draws, and their colour. Qt takes them from files only."""


class Appearance(QObject):
    """The theme in force. Widgets that paint for themselves listen to `changed`; everything else follows by QSS."""

    changed = Signal(object)  # Palette

    def __init__(self, app: QApplication, theme: Theme = Theme.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._pictures = QTemporaryDir()
        self.theme = theme
        self.palette = palette_for(theme)
        self.icons = Icons(self.palette)
        app.setStyle("Fusion")
        app.setFont(body_font())
        self._show()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def choose(self, theme: Theme) -> None:
        """Switches at once; open windows follow."""
        self.theme = theme
        self._follow()

    def _follow(self) -> None:
        palette = palette_for(self.theme)
        if palette is not self.palette:
            self.palette = palette
            self.icons.palette = palette
            self._show()
            self.changed.emit(palette)

    def _show(self) -> None:
        self._app.setPalette(qt_palette(self.palette))
        pictures = write_pictures(Path(self._pictures.path()), self.palette, self.icons)
        self._app.setStyleSheet(style_sheet(self.palette, pictures))


def palette_for(theme: Theme) -> Palette:
    if theme is Theme.SYSTEM:
        is_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return DARK if is_dark else LIGHT
    return DARK if theme is Theme.DARK else LIGHT


def body_font() -> QFont:
    font = QFont(list(SANS))
    font.setPixelSize(SIZE_BODY)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return font


def style_sheet(palette: Palette, pictures: Mapping[str, str]) -> str:
    """The sheet with every $name filled; a name nobody defines raises KeyError."""
    template = resources().joinpath("themes", "flowstudio.qss").read_text(encoding="utf-8")
    return Template(template).substitute({**sheet_colours(palette), **pictures, "mono": ", ".join(MONO)})


def sheet_colours(palette: Palette) -> dict[str, str]:
    """The tokens, and the shades mixed from them for states a token has no name for."""
    tokens = {name: value for name in Palette.__slots__ if isinstance(value := getattr(palette, name), str)}
    return tokens | {
        "hairline": mix(palette.window, palette.border, 0.7),
        "hover": mix(palette.window, palette.text, 0.07),
        "pressed": mix(palette.window, palette.text, 0.13),
        "stripe": mix(palette.window, palette.text, 0.025),
        "surface_hover": mix(palette.surface, palette.text, 0.05),
        "surface_pressed": mix(palette.surface, palette.text, 0.1),
        "accent_hover": mix(palette.accent, palette.text, 0.14),
        "accent_pressed": mix(palette.accent, palette.text, 0.26),
        "accent_seam": mix(palette.accent, palette.on_accent, 0.35),
        "control_border": palette.border,
        "field_border": palette.border_strong,
        "focus_quiet": mix(palette.window, palette.focus, 0.6),
        "code_field": mix(palette.surface, palette.sunken, 1.0 if palette.is_dark else 0.4),
        "waiting_field": mix(palette.surface, palette.waiting_bg, 0.55),
        "text_disabled": mix(palette.window, palette.text_3, 0.55),
        "scroll": mix(palette.window, palette.text, 0.2),
    }


def write_pictures(folder: Path, palette: Palette, icons: Icons) -> dict[str, str]:
    """Draws what the sheet shows as files, once for each screen density; gives $icon_name -> path."""
    paths: dict[str, str] = {}
    for name, token in SHEET_ICONS.items():
        path = folder / f"{name}-{palette.name}.png"
        for ratio, target in ((1.0, path), (2.0, path.with_stem(path.stem + "@2x"))):
            icons.pixmap(name.replace("_", "-"), getattr(palette, token), 16, ratio).save(str(target))
        paths[f"icon_{name}"] = path.as_posix()
    return paths


def qt_palette(palette: Palette) -> QPalette:
    """For what QSS does not reach: native dialogs' fallbacks, placeholder text, the colour of links."""
    roles = QPalette.ColorRole
    colours = {
        roles.Window: palette.window,
        roles.WindowText: palette.text,
        roles.Base: palette.surface,
        roles.AlternateBase: palette.window,
        roles.Text: palette.text,
        roles.Button: palette.surface,
        roles.ButtonText: palette.text,
        roles.BrightText: palette.error,
        roles.Highlight: palette.selection,
        roles.HighlightedText: palette.text,
        roles.ToolTipBase: palette.raised,
        roles.ToolTipText: palette.text,
        roles.PlaceholderText: palette.text_3,
        roles.Link: palette.accent,
        roles.Mid: palette.border,
        roles.Dark: palette.border_strong,
        roles.Light: palette.raised,
        roles.Shadow: palette.sunken,
    }
    result = QPalette()
    for role, colour in colours.items():
        result.setColor(role, QColor(colour))
    return result
