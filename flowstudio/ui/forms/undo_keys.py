"""Ctrl+Z in a field undoes the plan's last edit. A field's own undo would run against the one stack of the plan."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPlainTextEdit, QWidget

KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class UndoKeys(QObject):
    """Keeps the fields below a widget from claiming undo and redo, those added later too."""

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self._watch(root)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ChildPolished:
            child = event.child()  # type: ignore[attr-defined]  # a QChildEvent by its type
            if isinstance(child, QWidget):
                self._watch(child)
        elif event.type() == QEvent.Type.ShortcutOverride and is_undo_key(event):
            event.ignore()
            return True
        return False

    def _watch(self, root: QWidget) -> None:
        root.installEventFilter(self)
        for widget in root.findChildren(QWidget):
            widget.installEventFilter(self)


def is_undo_key(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and any(event.matches(key) for key in KEYS)


def leave_undo_to_plan(form: QWidget) -> None:
    for field in form.findChildren(QPlainTextEdit):
        field.setUndoRedoEnabled(False)
    UndoKeys(form)
