"""Colours, spacing and type: the only place that knows a number of the visual language.

Source: UI_SPEC section 6. Colours are "#rrggbb" strings so that QSS, QColor and the contrast test read the same value.
`mix` makes the in-between shades (hover, pressed), so no second list of colours exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flowstudio.providers.manifest import Category


class Theme(StrEnum):
    """What the person chose; SYSTEM follows the desktop, live."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour of one theme. `x_bg` is the fill behind text of colour `x`."""

    name: str
    is_dark: bool
    canvas: str
    window: str
    surface: str
    raised: str
    sunken: str
    border: str
    border_strong: str
    text: str
    text_2: str
    text_3: str
    accent: str
    on_accent: str
    selection: str
    focus: str
    ok: str
    ok_bg: str
    running: str
    running_bg: str
    warning: str
    warning_bg: str
    error: str
    error_bg: str
    waiting: str
    waiting_bg: str
    pinned: str
    pinned_bg: str
    edge: str
    category_trigger: str
    category_ai: str
    category_data: str
    category_message: str
    category_logic: str
    category_file: str
    category_code: str
    category_http: str

    def category(self, category: Category) -> str:
        """The colour of a palette group and of its cards' bar."""
        return str(getattr(self, f"category_{category.value}"))


LIGHT = Palette(
    name="light",
    is_dark=False,
    canvas="#EEF0F3",
    window="#F7F8FA",
    surface="#FFFFFF",
    raised="#FFFFFF",
    sunken="#E9ECF0",
    border="#C9CFD8",
    border_strong="#7A8494",
    text="#1B2330",
    text_2="#4A5566",
    text_3="#5D6778",
    accent="#2557D6",
    on_accent="#FFFFFF",
    selection="#DCE6FF",
    focus="#0B57D0",
    ok="#17703B",
    ok_bg="#DFF3E6",
    running="#1F5FBF",
    running_bg="#DDEBFC",
    warning="#8A5300",
    warning_bg="#FFF0D1",
    error="#B3261E",
    error_bg="#FCE3E1",
    waiting="#6A3FB5",
    waiting_bg="#EBE3FA",
    pinned="#8A3D00",
    pinned_bg="#FFE8D6",
    edge="#6B7585",
    category_trigger="#9A4A00",
    category_ai="#6A3FB5",
    category_data="#0E6E6E",
    category_message="#1F5FBF",
    category_logic="#4A5566",
    category_file="#17703B",
    category_code="#A3195B",
    category_http="#2557D6",
)

DARK = Palette(
    name="dark",
    is_dark=True,
    canvas="#14171C",
    window="#1A1E25",
    surface="#222831",
    raised="#2B323D",
    sunken="#11141A",
    border="#3A4350",
    border_strong="#7E8A9C",
    text="#E8ECF2",
    text_2="#B4BECC",
    text_3="#9BA6B6",
    accent="#8AB0FF",
    on_accent="#0D1B3A",
    selection="#263A66",
    focus="#A9C5FF",
    ok="#6FD697",
    ok_bg="#17362A",
    running="#7FBAFF",
    running_bg="#17304D",
    warning="#F2BE5C",
    warning_bg="#3B2D10",
    error="#FF9A92",
    error_bg="#46211F",
    waiting="#C3A6FF",
    waiting_bg="#322650",
    pinned="#FFB27A",
    pinned_bg="#43290F",
    edge="#8593A6",
    category_trigger="#F0A868",
    category_ai="#C3A6FF",
    category_data="#66CFCF",
    category_message="#7FBAFF",
    category_logic="#B4BECC",
    category_file="#6FD697",
    category_code="#FF8FBE",
    category_http="#8AB0FF",
)

# Spacing, pixels at 100 %: multiples of four and nothing else.
SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_6, SPACE_8 = 4, 8, 12, 16, 24, 32
FIELD_HEIGHT = 30
PRIMARY_HEIGHT = 32
ROW_HEIGHT = 28
TOOLBAR_HEIGHT = 40
STATUS_HEIGHT = 24
RAIL_WIDTH = 48
LEFT_DOCK_WIDTH, RIGHT_DOCK_WIDTH, BOTTOM_DOCK_HEIGHT = 264, 360, 240
STRIP_WIDTH = 40
MINIMUM_WINDOW = (1024, 680)
RADIUS_CONTROL, RADIUS_CARD, RADIUS_DIALOG = 6, 8, 10
ICON_SMALL, ICON_MEDIUM, ICON_LARGE = 16, 20, 24
MOTION_MS = 140

# Type, pixels at 100 %.
SIZE_SMALL, SIZE_BODY, SIZE_TITLE, SIZE_SECTION, SIZE_PAGE = 12, 13, 14, 16, 20
LINE_HEIGHT = 1.4
SANS = ("Segoe UI Variable Text", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "DejaVu Sans")
MONO = ("Cascadia Code", "SF Mono", "DejaVu Sans Mono", "monospace")

CATEGORY_TITLES: Mapping[Category, str] = {
    Category.TRIGGER: "Triggers",
    Category.LOGIC: "Logic",
    Category.DATA: "Data",
    Category.HTTP: "HTTP",
    Category.AI: "AI",
    Category.MESSAGE: "Messages",
    Category.FILE: "Files",
    Category.CODE: "Code",
}
"""Groups of the palette in the order they are shown."""


def mix(colour: str, other: str, share: float) -> str:
    """colour with `share` (0 to 1) of other stirred in, both "#rrggbb", linear in sRGB."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of "#rrggbb", 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(foreground: str, background: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(foreground), _luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
