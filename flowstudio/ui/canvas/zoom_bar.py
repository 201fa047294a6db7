"""Zoom at a glance and by the mouse: [- 100% + fit] in the lower right corner of the canvas."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from flowstudio.ui.canvas.zoom_view import ZOOM_STEP, ZoomView
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import RADIUS_CARD, SIZE_SMALL, Palette, mix

_BUTTON = 28


class ZoomBar(QFrame):
    """Buttons for the view's zoom; the number is a button that returns to full size."""

    def __init__(self, view: ZoomView, icons: Icons, palette: Palette, fit: Callable[[], None]) -> None:
        super().__init__(view)
        self.setObjectName("zoomBar")
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(1)
        self._out = self._button("Zoom out (-)", lambda: view.zoom_to(view.zoom / ZOOM_STEP))
        self._full = self._button("Zoom to 100 % (0)", lambda: view.zoom_to(1.0))
        self._in = self._button("Zoom in (+)", lambda: view.zoom_to(view.zoom * ZOOM_STEP))
        self._fit = self._button("Fit the whole plan (1)", fit)
        self._icons = icons
        self._full.setFixedWidth(52)
        for button in (self._out, self._full, self._in, self._fit):
            row.addWidget(button)
        self.show_palette(palette)
        self.show_zoom(view.zoom)
        view.zoomed.connect(self.show_zoom)

    def show_zoom(self, zoom: float) -> None:
        self._full.setText(f"{zoom * 100:.0f} %")

    def show_palette(self, palette: Palette) -> None:
        hover = mix(palette.window, palette.text, 0.08)
        self.setStyleSheet(
            f"#zoomBar {{ background: {palette.window}; border: 1px solid {palette.border};"
            f" border-radius: {RADIUS_CARD}px; }}"
            f"#zoomBar QToolButton {{ border: none; background: transparent; border-radius: 5px; padding: 0;"
            f" color: {palette.text_2}; font-size: {SIZE_SMALL}px; }}"
            f"#zoomBar QToolButton:hover {{ background: {hover}; color: {palette.text}; }}"
        )
        for button, name in ((self._out, "remove"), (self._in, "add"), (self._fit, "fit")):
            button.setIcon(self._icons.icon(name))

    def _button(self, name: str, action: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.setFixedSize(_BUTTON, _BUTTON)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # each has a key; the focus stays on the canvas
        button.clicked.connect(action)
        return button
