"""What an empty canvas says: one line, the triggers to start with, and the key that adds the first step."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from flowstudio.plan.model import Trigger, TriggerKind
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import RADIUS_CARD, SIZE_BODY, SIZE_SECTION, SPACE_2, SPACE_3, SPACE_4, Palette, mix

_CHIPS = (
    (TriggerKind.MANUAL, "run", "When I press Run"),
    (TriggerKind.SCHEDULE, "schedule", "On a schedule"),
    (TriggerKind.WEBHOOK, "webhook", "On a web request"),
)

_ARROWS = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}

_STARTS = {
    TriggerKind.SCHEDULE: "on a schedule",
    TriggerKind.WEBHOOK: "on a web request",
    TriggerKind.EVENT: "on an event",
}


class EmptyCanvas(QWidget):
    """Lies over an empty canvas and lets the mouse through, but for its chips. started carries the trigger picked."""

    started = Signal(TriggerKind)
    left = Signal()

    def __init__(self, parent: QWidget, icons: Icons, palette: Palette) -> None:
        super().__init__(parent)
        self._icons = icons
        self._mark, self._line, self._hint = QLabel(self), QLabel(self), QLabel(self)
        self._chips = [self._chip(kind, icon, text) for kind, icon, text in _CHIPS]
        chips = QHBoxLayout()
        chips.setSpacing(SPACE_3)
        for chip in self._chips:
            chips.addWidget(chip)
        column = QVBoxLayout(self)
        column.setSpacing(SPACE_4)
        column.addStretch(3)
        for label in (self._mark, self._line):
            column.addWidget(label, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(chips)
        column.setAlignment(chips, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._hint, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(4)
        self.show_palette(palette)
        self.show_triggers(())

    def show_palette(self, palette: Palette) -> None:
        self._mark.setPixmap(self._icons.pixmap("editor", palette.text_3, 40, self.devicePixelRatioF()))
        self._line.setStyleSheet(
            f"color: {palette.text}; background: {palette.canvas}; padding: 2px 8px;"
            f" font-size: {SIZE_SECTION}px; font-weight: 600;"
        )
        self._hint.setStyleSheet(
            f"color: {palette.text_3}; background: {palette.canvas}; padding: 2px 8px; font-size: {SIZE_BODY}px;"
        )
        hover = mix(palette.surface, palette.accent, 0.08)
        for chip, (_, icon, _) in zip(self._chips, _CHIPS, strict=True):
            chip.setIcon(self._icons.icon(icon, "category_trigger"))
            chip.setStyleSheet(
                f"QPushButton {{ background: {palette.surface}; color: {palette.text}; font-size: {SIZE_BODY}px;"
                f" border: 1px solid {palette.border_strong}; border-radius: {RADIUS_CARD}px;"
                f" padding: {SPACE_2}px {SPACE_4}px; }}"
                f"QPushButton:hover {{ background: {hover}; border-color: {palette.accent}; }}"
                f"QPushButton:focus {{ border: 2px solid {palette.focus}; }}"
            )

    def show_triggers(self, triggers: Sequence[Trigger]) -> None:
        """With a trigger in place the first step is what is missing."""
        kinds = {trigger.kind for trigger in triggers} - {TriggerKind.MANUAL}
        for chip in self._chips:
            chip.setVisible(not kinds)
        if kinds:
            self._line.setText(f"This plan starts {' and '.join(sorted(_STARTS[kind] for kind in kinds))}")
            self._hint.setText("Press <b>Tab</b> to add the first step, or drag one in from the left")
        else:
            self._line.setText("Start with what should trigger this plan")
            self._hint.setText("or press <b>Tab</b> to add the first step, or drag one in from the left")

    def take_focus(self) -> None:
        """Puts the focus on the first way to begin; arrow keys go on from there, Esc back to the canvas."""
        shown = next((chip for chip in self._chips if chip.isVisible()), None)
        if shown is not None:
            shown.setFocus(Qt.FocusReason.TabFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the chips; buttons keep arrow keys to themselves."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = _ARROWS.get(Qt.Key(event.key()))
            if event.key() == Qt.Key.Key_Escape:
                self.left.emit()
                return True
            if step is not None:
                at = next(index for index, chip in enumerate(self._chips) if chip is watched)
                self._chips[(at + step) % len(self._chips)].setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return super().eventFilter(watched, event)

    def _chip(self, kind: TriggerKind, icon: str, text: str) -> QPushButton:
        chip = QPushButton(f" {text}", self)  # the space parts the icon from the words
        chip.setIconSize(QSize(18, 18))
        chip.setMinimumHeight(36)
        chip.setCursor(Qt.CursorShape.PointingHandCursor)
        chip.clicked.connect(lambda: self.started.emit(kind))
        chip.installEventFilter(self)
        return chip
