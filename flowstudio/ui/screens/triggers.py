"""Triggers: what can start by itself, over all published plans."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget

from flowstudio.plan.model import TriggerKind
from flowstudio.ui.controls import push_button
from flowstudio.ui.icons import Icons
from flowstudio.ui.moments import moment
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.tables import card_table
from flowstudio.ui.screens.screen import Row, RowModel, Screen
from flowstudio.ui.tasks import Task
from flowstudio.workspace.ports import PlanRecord
from flowstudio.workspace.services import Services

COLUMNS = ("Plan", "Kind", "Starts at", "Next", "State")


class TriggersScreen(Screen):
    plan_wanted = Signal(object)  # PlanRecord
    changed = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, user_id: str, address: Callable[[], str], icons: Icons) -> None:
        """address: where webhooks are served at the moment."""
        super().__init__("Triggers", "Schedules and webhooks of published plans.")
        self._services = services
        self._user_id = user_id
        self._address = address
        self.copy = push_button("Copy address", icons.icon("copy"))
        self.copy.setEnabled(False)
        self.copy.clicked.connect(self._copy)
        self.switch = push_button("Switch off")
        self.switch.setEnabled(False)
        self.switch.clicked.connect(self._switch)
        self.add_button(self.copy)
        self.add_button(self.switch)
        self.model = RowModel(COLUMNS, icons)
        self.table = card_table(self.model, "Triggers", (280, 112, 360, 160))
        self.table.activated.connect(self._open)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_buttons())
        self._stack = QStackedWidget()
        nothing = "Nothing starts by itself. Add a schedule or a webhook in a plan's settings, then publish it."
        self._stack.addWidget(EmptyState(icons, "triggers", nothing))
        self._stack.addWidget(self.table)
        self.body.addWidget(self._stack, 1)

    def reload(self) -> None:
        services, user_id = self._services, self._user_id

        def read() -> tuple[Sequence[PlanRecord], dict[str, datetime | None]]:
            jobs = services.schedules.jobs(user_id)
            return services.plans.list(user_id), {job.plan_id: job.next_fire for job in jobs}

        def show(found: tuple[Sequence[PlanRecord], dict[str, datetime | None]]) -> None:
            rows = rows_of(found[0], found[1], self._address())
            self.model.show_rows(rows)
            self._stack.setCurrentIndex(1 if rows else 0)
            self._show_buttons()

        Task(read, self).success(show).failure(self.failed.emit).start()

    def _chosen(self) -> tuple[PlanRecord, str] | None:
        rows = self.table.selectionModel().selectedRows()
        return self.model.what(rows[0].row()) if rows else None

    def _show_buttons(self) -> None:
        chosen = self._chosen()
        self.copy.setEnabled(chosen is not None and bool(chosen[1]))
        self.switch.setEnabled(chosen is not None)
        self.switch.setText("Switch off" if chosen is None or chosen[0].enabled else "Switch on")

    def _open(self, index: QModelIndex) -> None:
        self.plan_wanted.emit(self.model.what(index.row())[0])

    def _copy(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            QGuiApplication.clipboard().setText(chosen[1])

    def _switch(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return
        record, plans, user_id = chosen[0], self._services.plans, self._user_id

        def show(_: PlanRecord) -> None:
            self.reload()
            self.changed.emit()

        call = Task(lambda: plans.update(user_id, record.id, {"enabled": not record.enabled}), self)
        call.success(show).failure(self.failed.emit).start()


def rows_of(records: Sequence[PlanRecord], next_fires: Mapping[str, datetime | None], address: str) -> list[Row]:
    rows: list[Row] = []
    for record in records:
        for trigger in record.plan.triggers:
            is_on = record.enabled and trigger.enabled
            state, tint = ("On", "ok") if is_on else ("Off", "text_3")
            if trigger.kind is TriggerKind.WEBHOOK:
                url = f"{address}/api/webhook/{trigger.config.get('webhook_path', '')}"
                cells = (record.plan.name, "Webhook", url, "", state)
                rows.append(
                    Row(
                        cells,
                        (record, url),
                        "webhook",
                        "category_trigger",
                        ("text", "text_2", "text_2", "text_2", tint),
                    )
                )
            elif trigger.kind is TriggerKind.SCHEDULE:
                fire = next_fires.get(record.id) if is_on else None
                words = f"{trigger.config.get('cron_expression', '')} ({trigger.config.get('timezone') or 'UTC'})"
                cells = (record.plan.name, "Schedule", words, moment(fire) if fire else "", state)
                rows.append(
                    Row(
                        cells,
                        (record, ""),
                        "schedule",
                        "category_trigger",
                        ("text", "text_2", "text_2", "text_2", tint),
                    )
                )
    return rows
