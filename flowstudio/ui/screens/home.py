"""Home: every plan and draft, and the ways to begin one."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from flowstudio.engine.model import Run
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.palette import SearchLine
from flowstudio.ui.panels.tables import card_table
from flowstudio.ui.screens.plan_list import Entry, entry_row, read_entries
from flowstudio.ui.screens.screen import RowModel, Screen, primary_button
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import SPACE_3, SPACE_4
from flowstudio.workspace.services import Services

COLUMNS = ("Name", "State", "Starts", "Last run", "Changed")


class HomeScreen(Screen):
    new_wanted = Signal()
    file_wanted = Signal()
    sample_wanted = Signal(str)  # name of a sample
    entry_wanted = Signal(object)  # Entry
    failed = Signal(object)

    def __init__(self, services: Services, user_id: str, samples: Sequence[str], icons: Icons) -> None:
        super().__init__("Plans", "Everything stays on this computer.")
        self._services = services
        self._user_id = user_id
        self._icons = icons
        self._entries: list[Entry] = []
        self._choices: list[QPushButton] = []
        self._last: dict[str, Run] = {}
        self.search = SearchLine(icons, "Search plans")
        self.search.setFixedWidth(240)
        self.search.textChanged.connect(lambda _: self._show())
        open_file = push_button("Open file…", icons.icon("open"))
        open_file.clicked.connect(self.file_wanted)
        new = primary_button("New plan", icons, "add")
        new.clicked.connect(self.new_wanted)
        self._buttons.addWidget(self.search)
        self.add_button(open_file)
        self.add_button(new)
        self.model = RowModel(COLUMNS, icons)
        self.table = card_table(self.model, "Plans", (272, 156, 184, 184))
        self.table.activated.connect(self._open)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self._nothing = text_label("No plan matches.", "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        for widget in (self.table, self._beginning(samples), self._nothing):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)

    def reload(self) -> None:
        def show(found: tuple[list[Entry], dict[str, Run]]) -> None:
            self._entries, self._last = found
            self._show()

        call = Task(lambda: read_entries(self._services, self._user_id), self)
        call.success(show).failure(self.failed.emit).start()

    def _show(self) -> None:
        words = self.search.text().lower().split()
        rows = [entry_row(entry, self._last.get(entry.plan.id)) for entry in self._entries]
        found = [row for row in rows if all(word in " ".join(row.cells).lower() for word in words)]
        self.model.show_rows(found)
        self._stack.setCurrentIndex(0 if found else 2 if self._entries else 1)
        if not self._entries and not self.search.hasFocus():
            self._choices[0].setFocus()

    def _beginning(self, samples: Sequence[str]) -> QWidget:
        """What a first start shows: a blank plan, a file, and the samples."""
        page = QWidget()
        column = QVBoxLayout()
        column.setSpacing(SPACE_3)
        title = text_label("Start here", "section")
        column.addWidget(title)
        choices = QHBoxLayout()
        choices.setSpacing(SPACE_3)
        for text, icon, call in (
            ("Blank plan", "new", self.new_wanted.emit),
            ("Open a file", "open", self.file_wanted.emit),
        ):
            self._choices.append(self._choice(text, icon, call))
            choices.addWidget(self._choices[-1])
        column.addLayout(choices)
        if samples:
            label = text_label("Or look at a sample that runs", "muted")
            label.setContentsMargins(0, SPACE_4, 0, 0)
            column.addWidget(label)
        for name in samples:
            column.addWidget(self._choice(name, "sample", partial(self.sample_wanted.emit, name)))
        holder = QWidget()
        holder.setMaximumWidth(640)
        holder.setLayout(column)
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(holder, 4)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addStretch(2)
        return page

    def _choice(self, text: str, icon: str, call: Callable[[], object]) -> QPushButton:
        button = push_button(f"  {text}", self._icons.icon(icon, "accent"), kind="choice")
        button.clicked.connect(lambda: call())
        return button

    def _open(self, index: QModelIndex) -> None:
        self.entry_wanted.emit(self.model.what(index.row()))

    def _show_menu(self, place: QPoint) -> None:
        index = self.table.indexAt(place)
        if not index.isValid():
            return
        entry: Entry = self.model.what(index.row())
        menu = QMenu(self)
        menu.addAction(self._icons.icon("editor"), "Open").triggered.connect(lambda: self.entry_wanted.emit(entry))
        if entry.draft is not None and entry.record is not None:
            text = "Discard unpublished changes"
            menu.addAction(self._icons.icon("undo"), text).triggered.connect(lambda: self._discard(entry))
        text = "Delete" if entry.record else "Delete draft"
        menu.addAction(self._icons.icon("delete", "error"), text).triggered.connect(lambda: self.delete(entry))
        menu.popup(self.table.viewport().mapToGlobal(place))

    def _discard(self, entry: Entry) -> None:
        self._then_reload(lambda: self._drop_draft(entry))

    def delete(self, entry: Entry) -> None:
        """The plan with all that would start it; its runs stay in the history."""

        def remove() -> None:
            self._drop_draft(entry)
            if entry.record is not None:
                self._services.plans.delete(self._user_id, entry.record.id)

        self._then_reload(remove)

    def _drop_draft(self, entry: Entry) -> None:
        if entry.draft is not None:
            self._services.editing.discard(self._user_id, entry.draft)

    def _then_reload(self, call: Callable[[], object]) -> None:
        Task(call, self).success(lambda _: self.reload()).failure(self.failed.emit).start()
