"""The rows of the Run pane: one for each step of the run, in the order it was first heard of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from flowstudio.engine.dry import NO_CALL, NOT_SENT
from flowstudio.engine.events import (
    RunEvent,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepInterrupted,
    StepPaused,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.retelling import IS_REUSED
from flowstudio.engine.steering import IS_PINNED
from flowstudio.plan.model import StepId
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.data_panel import duration

COLUMNS = ("Step", "State", "Done", "Items", "Time", "Last message")
STATES: Mapping[str, tuple[str, str]] = {
    "running": ("Running", "running"),
    "retrying": ("Trying again", "warning"),
    "held": ("Waiting", "waiting"),
    "paused": ("Paused", "waiting"),
    "asks": ("Asks", "warning"),
    "succeeded": ("Succeeded", "ok"),
    "pinned": ("Pinned", "pinned"),
    "reused": ("Reused", "text_2"),
    "unsent": ("Not sent", "text_2"),
    "failed": ("Failed", "error"),
    "skipped": ("Skipped", "text_3"),
    "cancelled": ("Cancelled", "text_3"),
}
STATE_ICONS: Mapping[str, str] = {
    "running": "state-running",
    "retrying": "state-waiting",
    "held": "state-waiting",
    "paused": "state-waiting",
    "asks": "state-waiting",
    "succeeded": "state-ok",
    "pinned": "pin",
    "reused": "reused",
    "unsent": "unsent",
    "failed": "state-failed",
    "skipped": "state-skipped",
    "cancelled": "state-cancelled",
}

Index = QModelIndex | QPersistentModelIndex


@dataclass(slots=True)
class StepRow:
    """How a step of the run stands, all iterations together."""

    step_id: StepId
    state: str = "running"
    done: int = 0
    items: int = 0
    time_ms: float = 0.0
    message: str = ""


class RunModel(QAbstractTableModel):
    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons = icons
        self._labels: Mapping[StepId, str] = {}
        self._rows: list[StepRow] = []
        self._by_step: dict[StepId, int] = {}

    def begin(self, labels: Mapping[StepId, str]) -> None:
        self.beginResetModel()
        self._labels, self._rows, self._by_step = labels, [], {}
        self.endResetModel()

    def take(self, events: Iterable[RunEvent]) -> None:
        """A batch: rows are added and redrawn once."""
        first_new = len(self._rows)
        fresh: list[StepRow] = []
        touched: set[int] = set()
        for event in events:
            step_id = getattr(event, "step_id", None)
            if step_id is None or not isinstance(event, _STEP_EVENTS):
                continue
            at = self._by_step.setdefault(step_id, first_new + len(fresh))
            if at == first_new + len(fresh):
                fresh.append(StepRow(step_id))
            row = self._rows[at] if at < first_new else fresh[at - first_new]
            _apply(row, event)
            touched.add(at)
        if fresh:
            self.beginInsertRows(QModelIndex(), first_new, first_new + len(fresh) - 1)
            self._rows += fresh
            self.endInsertRows()
        old = [at for at in touched if at < first_new]
        if old:
            self.dataChanged.emit(self.index(min(old), 0), self.index(max(old), len(COLUMNS) - 1))

    def step_id(self, row: int) -> StepId:
        return self._rows[row].step_id

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(row, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 1:
            return self._icons.icon(STATE_ICONS[row.state], STATES[row.state][1])
        if role == Qt.ItemDataRole.ForegroundRole:
            token = STATES[row.state][1] if index.column() == 1 else "text" if index.column() == 0 else "text_2"
            return QColor(getattr(self._icons.palette, token))
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == len(COLUMNS) - 1:
            return row.message or None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def _cell(self, row: StepRow, column: int) -> str:
        has_run = row.done > 0
        cells = (
            self._labels.get(row.step_id, row.step_id),
            STATES[row.state][0],
            f"{row.done:,}×" if row.done > 1 else "",
            f"{row.items:,}" if has_run and row.state != "skipped" else "",
            duration(row.time_ms) if has_run and row.state not in ("skipped", "pinned", "reused") else "",
            row.message,
        )
        return cells[column]


_STEP_EVENTS = (
    StepStarted,
    StepHeld,
    StepPaused,
    StepInterrupted,
    StepRetrying,
    StepSucceeded,
    StepFailed,
    StepSkipped,
    StepCancelled,
)


def _apply(row: StepRow, event: RunEvent) -> None:
    match event:
        case StepStarted():
            row.state = "running"
        case StepRetrying():
            row.state, row.message = "retrying", event.failure.sentence
        case StepHeld():
            row.state, row.message = "held", event.reason
        case StepPaused():
            row.state, row.message = "paused", event.reason
        case StepInterrupted():
            row.state, row.message = "asks", event.failure.sentence
        case StepSucceeded():
            row.state, row.message = _origin_of(event), event.message
            row.done, row.items, row.time_ms = row.done + 1, row.items + event.items, row.time_ms + event.duration_ms
        case StepFailed():
            row.state, row.message = "failed", event.failure.sentence
            row.done, row.time_ms = row.done + 1, row.time_ms + event.duration_ms
        case StepSkipped():
            row.state, row.message = "unsent" if is_unsent(event) else "skipped", event.reason
        case StepCancelled():
            row.state = "cancelled"


def _origin_of(event: StepSucceeded) -> str:
    """Whether the step did what it succeeded in, or something stood in for it."""
    if event.message == IS_PINNED:
        return "pinned"
    return "reused" if event.message.startswith(IS_REUSED) else "succeeded"


def is_unsent(event: StepSkipped) -> bool:
    """Whether a dry run came to the step and only showed what it would do."""
    return event.reason in (NOT_SENT, NO_CALL)
