"""The Problems pane: what check_plan found, errors first; Enter goes to the field."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QStackedLayout, QWidget

from flowstudio.plan.model import StepId
from flowstudio.plan.rules import Problem
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.tables import quiet_table

COLUMNS = ("Step", "Problem")

Index = QModelIndex | QPersistentModelIndex


class ProblemModel(QAbstractTableModel):
    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons = icons
        self._problems: list[Problem] = []
        self._labels: Mapping[StepId, str] = {}

    def show_problems(self, problems: Sequence[Problem], labels: Mapping[StepId, str]) -> None:
        self.beginResetModel()
        self._problems = sorted(problems, key=lambda problem: not problem.is_error)
        self._labels = labels
        self.endResetModel()

    def problem(self, row: int) -> Problem:
        return self._problems[row]

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._problems)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        problem = self._problems[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 1:
                return problem.sentence
            return "Plan" if problem.step is None else self._labels.get(problem.step, problem.step)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            tint = "error" if problem.is_error else "warning"
            return self._icons.icon(f"severity-{tint}", tint)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return QColor(self._icons.palette.text_2)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{problem.severity.value}: {problem.sentence}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None


class ProblemsPanel(QWidget):
    problem_chosen = Signal(object)  # Problem

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.model = ProblemModel(icons)
        self.table = quiet_table(self.model, "Problems", (220,))
        self.table.activated.connect(self._choose)
        self.table.clicked.connect(self._choose)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState(icons, "check", "No problems."))
        self._stack.addWidget(self.table)

    def show_problems(self, problems: Sequence[Problem], labels: Mapping[StepId, str]) -> None:
        self.model.show_problems(problems, labels)
        self._stack.setCurrentIndex(1 if problems else 0)

    def _choose(self, index: QModelIndex) -> None:
        self.problem_chosen.emit(self.model.problem(index.row()))
