"""Runs: the history, and the steps and data of the chosen run."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QItemSelection, Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget

from flowstudio.engine.dry import DRY, UNSENT
from flowstudio.engine.model import QUESTION, REUSED_FROM, Failure, Run, RunState, StepRun, StepState
from flowstudio.engine.steering import PINNED
from flowstudio.engine.stops import HELD, REASON
from flowstudio.plan.evaluation.deferred import holds_deferred
from flowstudio.plan.model import Json
from flowstudio.ui.answer_menu import AnswerMenu
from flowstudio.ui.controls import push_button
from flowstudio.ui.forms.editors.choice import QuietComboBox
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.data_panel import DataPanel, at_hand, duration
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.tables import card_table
from flowstudio.ui.screens.plan_list import RUN_STATES, run_row
from flowstudio.ui.screens.related_runs import Related, RelatedMenu, related
from flowstudio.ui.screens.rerun_menu import RerunMenu
from flowstudio.ui.screens.run_export import ExportMenu
from flowstudio.ui.screens.screen import Row, RowModel, Screen
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import ROW_HEIGHT, SPACE_3
from flowstudio.workspace.runs import Runs
from flowstudio.workspace.services import Services

RUN_COLUMNS = ("State", "Plan", "Trigger", "Started", "Duration", "Note")
STEP_COLUMNS = ("Step", "State", "Item", "Time", "Message")
STEP_STATES = {
    StepState.RUNNING: ("Running", "state-running", "running"),
    StepState.WAITING: ("Waiting", "state-waiting", "waiting"),
    StepState.SUCCEEDED: ("Succeeded", "state-ok", "ok"),
    StepState.FAILED: ("Failed", "state-failed", "error"),
    StepState.SKIPPED: ("Skipped", "state-skipped", "text_3"),
    StepState.CANCELLED: ("Cancelled", "state-cancelled", "text_3"),
}
PAUSED_BEFORE = ("Paused before", "state-waiting", "waiting")
IN_PLACE = {
    PINNED: ("Pinned", "pin", "pinned"),
    REUSED_FROM: ("Reused", "reused", "text_2"),
}
"""What stood in for the step, by the mark of its row."""
UNSENT_STEP = ("Not sent", "unsent", "text_2")
ASKS = ("Asks", "state-waiting", "waiting")
RELOAD_AFTER_MS = 300
STEPS_SHOWN = 2000


class RunsScreen(Screen):
    run_wanted = Signal(object, object, object)  # Run to be seen on the canvas, id and iteration of a step or None
    failed = Signal(object)

    def __init__(self, services: Services, user_id: str, icons: Icons) -> None:
        super().__init__("Runs", "What ran, when, and what came out.")
        self._services = services
        self._user_id = user_id
        self._runs: Sequence[Run] = ()
        self._standing: dict[str, str] = {}
        """Why runs under way stand still, by their ids."""
        self._run: Run | None = None
        self._result: StepRun | None = None
        self.state = QuietComboBox()
        self.state.setAccessibleName("State")
        self.state.addItem("Any state", None)
        for state, (title, _, _) in RUN_STATES.items():
            self.state.addItem(title, state)
        self.state.activated.connect(lambda _: self._show())
        self.open = push_button("Show on the canvas", icons.icon("editor"), clicked=self._open)
        self.open.setEnabled(False)
        self.exporting = ExportMenu(services, user_id, lambda: self._run, self)
        self.exporting.failed.connect(self.failed.emit)
        self.export = push_button("Export", icons.icon("save"), hint="Write this run to a file; secrets are masked.")
        self.export.setMenu(self.exporting)
        self.export.setEnabled(False)
        self.answers = AnswerMenu(services, user_id, self._question, self)
        self.answers.failed.connect(self.failed.emit)
        self.answers.given.connect(self.reload)
        self.answer = push_button("Answer", hint="Say what became of a step that was at work when the program died.")
        self.answer.setMenu(self.answers)
        self.answer.hide()
        self._offer_steering(icons)
        self._buttons.addWidget(self.state)
        self.add_button(self.answer)
        self.add_button(self.related)
        self.add_button(self.rerun)
        self.add_button(self.export)
        self.add_button(self.open)
        self._show_runs_and_steps(icons)
        self._pause = QTimer(self, singleShot=True, interval=RELOAD_AFTER_MS)
        self._pause.timeout.connect(self.reload)

    def _show_runs_and_steps(self, icons: Icons) -> None:
        """The runs above; below them the steps of the chosen one and their data."""
        self.model = RowModel(RUN_COLUMNS, icons)
        self.table = card_table(self.model, "Runs", (136, 240, 112, 168, 96))
        self.table.selectionModel().selectionChanged.connect(self._choose_run)
        self.table.activated.connect(lambda _: self._open())
        self.steps = RowModel(STEP_COLUMNS, icons)
        self.step_table = card_table(self.steps, "Steps of the run", (168, 112, 56, 72))
        self.step_table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.step_table.selectionModel().selectionChanged.connect(self._choose_step)
        self.step_table.activated.connect(lambda index: self._open(self.steps.what(index.row())))
        self.data = DataPanel(icons)
        self.data.setProperty("role", "card")
        self.data.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        lower = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False, handleWidth=SPACE_3)
        lower.addWidget(self.step_table)
        lower.addWidget(self.data)
        lower.setSizes([560, 560])
        split = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False, handleWidth=SPACE_3)
        split.addWidget(self.table)
        split.addWidget(lower)
        split.setSizes([300, 360])
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState(icons, "runs", "No runs yet. Open a plan and press F5."))
        self._stack.addWidget(split)
        self.body.addWidget(self._stack, 1)

    def _offer_steering(self, icons: Icons) -> None:
        self.steering = RerunMenu(self._services, self._user_id, lambda: self._run, icons, self)
        self.steering.failed.connect(self.failed.emit)
        self.steering.steered.connect(self.reload)
        self.steering.started.connect(lambda run: self.run_wanted.emit(run, None, ()))
        self.rerun = push_button("Run", icons.icon("run-again"), name="Run it again, or steer it")
        self.rerun.setMenu(self.steering)
        self.rerun.setEnabled(False)
        self.relations = RelatedMenu(self)
        self.relations.chosen.connect(self._go_to)
        self.related = push_button("Related", icons.icon("follow"), hint="Runs that called it, or that it called.")
        self.related.setMenu(self.relations)
        self.related.hide()

    def reload_soon(self) -> None:
        """A run began or ended; many may."""
        if self.isVisible():
            self._pause.start()

    def reload(self) -> None:
        runs, user_id = self._services.runs, self._user_id

        def read() -> tuple[Sequence[Run], dict[str, str]]:
            found = runs.list(user_id, limit=200)
            return found, {run.id: reason for run in found if (reason := _standstill(runs, run))}

        def show(found: tuple[Sequence[Run], dict[str, str]]) -> None:
            self._runs, self._standing = found
            self._show()

        Task(read, self).success(show).failure(self.failed.emit).start()

    def _show(self) -> None:
        wanted = self.state.currentData()
        shown = [run for run in self._runs if wanted in (None, run.state)]
        self._stack.setCurrentIndex(1 if self._runs else 0)
        chosen = self._run.id if self._run else None
        self.model.show_rows([run_row(run, self._standing.get(run.id, "")) for run in shown])
        at = next((index for index, run in enumerate(shown) if run.id == chosen), 0 if shown else -1)
        if at >= 0:
            self.table.selectRow(at)

    def _choose_run(self, selected: QItemSelection) -> None:
        rows = selected.indexes()
        run: Run | None = self.model.what(rows[0].row()) if rows else None
        self._run, self._result = run, None
        self.open.setEnabled(run is not None)
        self.export.setEnabled(run is not None)
        self.rerun.setEnabled(run is not None)
        self.related.hide()
        self.answer.setVisible(run is not None and run.state is RunState.INTERRUPTED)
        if run is None:
            return
        runs, user_id = self._services.runs, self._user_id

        def read() -> tuple[Sequence[StepRun], list[Related]]:
            steps = runs.steps(user_id, run.id)
            return steps, related(run, steps, lambda run_id: runs.get(user_id, run_id))

        def show(found: tuple[Sequence[StepRun], list[Related]]) -> None:
            steps, relatives = found
            if self._run is run:
                self.relations.show_related(relatives)
                self.related.setVisible(bool(relatives))
                labels = {step.id: step.label for step in run.plan.steps}
                self.steps.show_rows(
                    [step_row(each, labels.get(each.step_id, each.step_id)) for each in steps[:STEPS_SHOWN]]
                )
                self.data.show_nothing("Select a step to see its data.")

        Task(read, self).success(show).failure(self.failed.emit).start()

    def _go_to(self, run: Run) -> None:
        """Chooses a run in the list; one that is further back, or filtered out, is opened on the canvas."""
        for row in range(self.model.rowCount()):
            if self.model.what(row).id == run.id:
                self.table.selectRow(row)
                self.table.scrollTo(self.model.index(row, 0))
                return
        self.run_wanted.emit(run, None, ())

    def _question(self) -> tuple[str, Failure] | None:
        """What the chosen step asks, else what the chosen run does."""
        run, step = self._run, self._result
        if run is None:
            return None
        asked = step.failure if step is not None and QUESTION in step.metadata else run.failure
        return (run.id, asked) if asked is not None else None

    def _open(self, at: StepRun | None = None) -> None:
        """Shows the chosen run on the canvas, at a step and its iteration or as a whole."""
        if self._run is not None and at is None:
            self.run_wanted.emit(self._run, None, ())
        elif self._run is not None and at is not None:
            self.run_wanted.emit(self._run, at.step_id, at.iteration)

    def _choose_step(self, selected: QItemSelection) -> None:
        rows = selected.indexes()
        if not rows:
            return
        result: StepRun = self.steps.what(rows[0].row())
        title, self._result = str(rows[0].data()), result
        if not holds_deferred(result.output):
            self.data.show_result(title, result)
            return

        def show(output: Json) -> None:
            if self._result is result:
                self.data.show_result(title, replace(result, output=output))

        Task(lambda: at_hand(result.output), self).success(show).failure(self.failed.emit).start()


def step_row(result: StepRun, label: str) -> Row:
    title, icon, tint = _standing_of(result)
    item = ".".join(str(each + 1) for each in result.iteration)
    took = duration(result.duration_ms) if result.state is not StepState.SKIPPED else ""
    waits = result.metadata.get("waits_for") or result.metadata.get(REASON) or ""
    is_open = result.state is StepState.WAITING
    message = result.failure.sentence if result.failure else str(waits) if is_open else result.message
    return Row((label, title, item, took, message), result, icon, tint, ("text", tint, "text_2", "text_2", "text_2"))


def _standing_of(result: StepRun) -> tuple[str, str, str]:
    if QUESTION in result.metadata:
        return ASKS
    if result.state is StepState.WAITING and HELD in result.metadata:
        return PAUSED_BEFORE
    if result.state is StepState.SKIPPED and result.metadata.get(DRY) == UNSENT:
        return UNSENT_STEP
    if result.state is StepState.SUCCEEDED:
        return next((look for mark, look in IN_PLACE.items() if mark in result.metadata), STEP_STATES[result.state])
    return STEP_STATES[result.state]


def _standstill(runs: Runs, run: Run) -> str:
    """Why a run under way does not move. Blocks."""
    stall = runs.stalled_by(run)
    return stall.sentence if stall is not None else runs.waits_for(run) or ""
