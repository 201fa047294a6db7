"""RunsSection: how a plan's runs are treated: how many at once, what a failure starts, what a crash and time leave."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowstudio.plan.edits import SetPlanSetting
from flowstudio.plan.model import AfterCrash, Json, Plan, PlanSettings, WhenBusy
from flowstudio.plan.reading.parts import settings_to_json
from flowstudio.providers.manifest import Choice, Field, FieldKind
from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.editors.choice import ChoiceEditor
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.forms.plan_choices import offer_plans
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_3

USUAL = PlanSettings()

WHEN_BUSY = Field(
    "when_busy",
    "When it is still running",
    FieldKind.CHOICE,
    required=True,
    default=USUAL.when_busy.value,
    choices=(
        Choice(WhenBusy.PARALLEL, "Run beside it"),
        Choice(WhenBusy.QUEUE, "Wait in line"),
        Choice(WhenBusy.SKIP, "Skip the new run"),
        Choice(WhenBusy.REPLACE, "Stop the older run"),
    ),
    help="What a new run does while others of this plan are under way.",
)
RUNS_AT_ONCE = Field(
    "runs_at_once",
    "Runs at once",
    FieldKind.INTEGER,
    default=USUAL.runs_at_once,
    minimum=1,
    help="So many may be under way before a new one waits, is skipped or takes another's place.",
)
ERROR_PLAN = Field(
    "error_plan",
    "When a run fails, run",
    FieldKind.CHOICE,
    help="That plan gets the failed run and its error as {{ trigger }}.",
)
AFTER_CRASH = Field(
    "after_crash",
    "After a crash in the middle of a write",
    FieldKind.CHOICE,
    required=True,
    default=USUAL.after_crash.value,
    choices=(
        Choice(AfterCrash.ASK, "Ask me"),
        Choice(AfterCrash.RETRY, "Do it again"),
        Choice(AfterCrash.FAIL, "Let the run fail"),
    ),
    help="Nobody can know then whether the write happened. Reads are always done again; so are writes whose vendor "
    "recognises a repeat.",
)
KEEP_RUNS = Field(
    "keep_runs",
    "Keep at most so many runs",
    FieldKind.INTEGER,
    minimum=0,
    placeholder="As in Settings",
    help="Older ones leave the history.",
)
KEEP_DAYS = Field(
    "keep_days",
    "Keep runs for so many days",
    FieldKind.NUMBER,
    minimum=0,
    placeholder="As in Settings",
)
FIELDS = (WHEN_BUSY, RUNS_AT_ONCE, ERROR_PLAN, AFTER_CRASH, KEEP_RUNS, KEEP_DAYS)


class RunsSection(QWidget):
    """`rows` by the name of their setting. The plans to choose from are read in the background."""

    def __init__(self, open_plan: OpenPlan, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open_plan = open_plan
        self.rows = {field.name: FieldRow(field, icons) for field in FIELDS}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_3)
        layout.addWidget(text_label("Runs", "label"))
        for name, row in self.rows.items():
            row.edited.connect(lambda value, name=name: self._store(name, value))
            layout.addWidget(row)
        editor = self.rows["error_plan"].editor
        assert isinstance(editor, ChoiceEditor)
        # This plan is not among them: one that fails would start itself for ever.
        offer_plans(editor, open_plan, nothing="No other plan", with_itself=False)

    def show_plan(self, plan: Plan) -> None:
        settings = settings_to_json(plan.settings)
        for name, row in self.rows.items():
            row.show_value(settings.get(name))
        self.rows["runs_at_once"].setVisible(plan.settings.when_busy is not WhenBusy.PARALLEL)

    def _store(self, name: str, value: Json) -> None:
        """What is typed on the way to a number, or is none, stands outlined in its field and changes nothing."""
        field = self.rows[name].field
        if field.minimum is not None and value is not None:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or value < field.minimum:  # type: ignore[operator]
                return
        if settings_to_json(self._open_plan.plan.settings).get(name) != value:
            self._open_plan.push(SetPlanSetting(name, value))
