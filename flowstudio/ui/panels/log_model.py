"""The lines of the Log pane: every run event as one line, kept within a bound."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunStarted,
    RunStateChanged,
    StepCancelled,
    StepFailed,
    StepInterrupted,
    StepPaused,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import Failure, RunState
from flowstudio.plan.model import StepId
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.run_model import is_unsent

LIMIT = 50_000  # lines kept; older ones are in the run's history
LEVELS = ("debug", "info", "warning", "error")
COLUMNS = ("Time", "Step", "Message")

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    level: str
    step_id: StepId | None
    text: str


class LogModel(QAbstractTableModel):
    """Shows the lines that pass the filters. labels: step id -> what the card says."""

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons = icons
        self._lines: deque[Line] = deque(maxlen=LIMIT)
        self._shown: list[Line] = []
        self._labels: Mapping[StepId, str] = {}
        self._level = LEVELS.index("info")
        self._step: StepId | None = None
        self._words: Sequence[str] = ()

    def clear(self) -> None:
        self.beginResetModel()
        self._lines.clear()
        self._shown = []
        self.endResetModel()

    def begin(self, labels: Mapping[StepId, str]) -> None:
        """A run starts: no lines yet, and the names its steps have."""
        self.clear()
        self.set_labels(labels)

    def set_labels(self, labels: Mapping[StepId, str]) -> None:
        self._labels = labels

    def set_filter(self, level: str, step: StepId | None, text: str = "") -> None:
        """Lines of that level and above, of that step, whose text or step's name holds every word."""
        self._level, self._step, self._words = LEVELS.index(level), step, text.casefold().split()
        self._reset()

    def append(self, events: Iterable[RunEvent]) -> None:
        """A batch in one insertion."""
        lines = [line for event in events if (line := line_of(event)) is not None]
        self._lines.extend(lines)
        fresh = [line for line in lines if self._passes(line)]
        if len(self._shown) + len(fresh) > LIMIT:
            self._reset()
        elif fresh:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._shown += fresh
            self.endInsertRows()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(line, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._colour(line, index.column()))
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == len(COLUMNS) - 1:
            return line.text if len(line.text) > 80 else None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def line(self, row: int) -> Line:
        return self._shown[row]

    def _cell(self, line: Line, column: int) -> str:
        if column == 0:
            return f"{line.at.astimezone():%H:%M:%S}.{line.at.microsecond // 1000:03d}"
        if column == 1:
            return "" if line.step_id is None else self._labels.get(line.step_id, line.step_id)
        return line.text.replace("\n", " ⏎ ")

    def _colour(self, line: Line, column: int) -> str:
        palette = self._icons.palette
        if column == 0:
            return palette.text_3
        if column == 1:
            return palette.text_2
        return {"error": palette.error, "warning": palette.warning, "debug": palette.text_3}.get(
            line.level, palette.text
        )

    def _passes(self, line: Line) -> bool:
        if LEVELS.index(line.level) < self._level or self._step not in (None, line.step_id):
            return False
        searched = f"{self._labels.get(line.step_id or '', '')} {line.text}".casefold() if self._words else ""
        return all(word in searched for word in self._words)

    def _reset(self) -> None:
        self.beginResetModel()
        self._shown = [line for line in self._lines if self._passes(line)]
        self.endResetModel()


def line_of(event: RunEvent) -> Line | None:
    """What an event says in one line; levels below "info" are details."""
    match event:
        case LogWritten():
            level = event.level if event.level in LEVELS else "info"
            return Line(event.at, level, event.step_id, event.text)
        case RunStarted():
            return Line(event.at, "info", None, f"Run started ({event.trigger})")
        case StepInterrupted():
            return Line(event.at, "warning", event.step_id, f"{event.failure.sentence} {event.failure.fix}")
        case RunStateChanged(failure=Failure() as why) if event.state is RunState.PAUSED:
            return Line(event.at, "warning", None, f"Run is paused. {why.sentence} {why.fix}")
        case RunStateChanged():
            return Line(event.at, "info", None, f"Run is {event.state.value}")
        case RunEnded():
            took = f"after {event.duration_ms / 1000:.2f} s, {event.steps_done} steps"
            if event.failure is not None:
                return Line(
                    event.at,
                    "error",
                    event.failure.step_id,
                    f"Run {event.state.value} {took}: {event.failure.sentence}",
                )
            return Line(event.at, "info", None, f"Run {event.state.value} {took}")
        case StepStarted():
            return Line(event.at, "debug", event.step_id, f"Started{_item(event.iteration)}")
        case StepRetrying():
            text = f"Try {event.attempt} failed: {event.failure.sentence} Next try in {event.delay_s:.1f} s."
            return Line(event.at, "warning", event.step_id, text)
        case StepSucceeded():
            text = (
                event.message
                or f"Done: {event.items} item{'' if event.items == 1 else 's'} in {event.duration_ms:.0f} ms"
            )
            return Line(event.at, "info", event.step_id, text + _item(event.iteration))
        case StepFailed():
            text = f"{event.failure.sentence} {event.failure.fix}".strip()
            return Line(event.at, "error", event.step_id, text + _item(event.iteration))
        case StepPaused():
            return Line(event.at, "info", event.step_id, f"The run pauses here. {event.reason}{_item(event.iteration)}")
        case StepSkipped() if is_unsent(event):
            return Line(event.at, "info", event.step_id, event.reason + _item(event.iteration))
        case StepSkipped():
            return Line(event.at, "debug", event.step_id, f"Skipped: {event.reason}{_item(event.iteration)}")
        case StepCancelled():
            return Line(event.at, "warning", event.step_id, f"Cancelled{_item(event.iteration)}")
    return None


def _item(iteration: tuple[int, ...]) -> str:
    return f" (item {'.'.join(str(each + 1) for each in iteration)})" if iteration else ""
