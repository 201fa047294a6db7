"""The Errors tab: what a failure does, how often it is tried again, how long it may take."""

from dataclasses import replace

from flowstudio.plan.edits import SetStepField
from flowstudio.plan.model import Backoff, Json, OnError, Retry, Step
from flowstudio.providers.manifest import Choice, Field, FieldKind
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.forms.page import FormPage
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan

ON_ERROR = Field(
    "on_error",
    "When it fails",
    FieldKind.CHOICE,
    required=True,
    default=OnError.STOP.value,
    choices=(
        Choice(OnError.STOP.value, "Stop the run"),
        Choice(OnError.CONTINUE.value, "Go on, with the error as its output"),
        Choice(OnError.BRANCH.value, "Go on by its error port"),
    ),
    help="After all tries.",
)
TIMEOUT = Field(
    "timeout_s",
    "Time limit, seconds",
    FieldKind.NUMBER,
    placeholder="The action's own limit",
    minimum=0,
    maximum=86400,
    help="For one try.",
)
TRIES = Field(
    "tries",
    "Tries",
    FieldKind.INTEGER,
    default=1,
    minimum=1,
    maximum=20,
    help="The first one counts: 1 means no retry.",
)
DELAY = Field("delay_s", "Wait before the next try, seconds", FieldKind.NUMBER, default=1.0, minimum=0, maximum=3600)
BACKOFF = Field(
    "backoff",
    "The wait",
    FieldKind.CHOICE,
    required=True,
    default=Backoff.EXPONENTIAL.value,
    choices=(Choice(Backoff.EXPONENTIAL.value, "Doubles each time"), Choice(Backoff.FIXED.value, "Stays the same")),
)
MAX_DELAY = Field("max_delay_s", "Longest wait, seconds", FieldKind.NUMBER, default=60.0, minimum=0, maximum=86400)
JITTER = Field(
    "jitter",
    "Spread the waits at random",
    FieldKind.BOOLEAN,
    default=True,
    help="Keeps many runs from trying at the same moment.",
)
RETRY_FIELDS = (TRIES, DELAY, BACKOFF, MAX_DELAY, JITTER)


class ErrorsPage(FormPage):
    def __init__(self, open_plan: OpenPlan, step: Step, icons: Icons) -> None:
        super().__init__()
        self._open_plan = open_plan
        self._step_id = step.id
        for field in (ON_ERROR, *RETRY_FIELDS, TIMEOUT):
            row = FieldRow(field, icons)
            row.edited.connect(lambda value, name=field.name: self._store(name, value))
            self.add_row(row)

    def show_step(self, step: Step) -> None:
        self.rows["on_error"].show_value(step.on_error.value)
        self.rows["timeout_s"].show_value(step.timeout_s)
        for field in RETRY_FIELDS:
            value = getattr(step.retry, field.name)
            self.rows[field.name].show_value(value.value if isinstance(value, Backoff) else value)
        for field in RETRY_FIELDS[1:]:
            self.rows[field.name].setVisible(step.retry.tries > 1)
        self.rows["max_delay_s"].setVisible(step.retry.tries > 1 and step.retry.backoff is Backoff.EXPONENTIAL)

    def _store(self, name: str, value: Json) -> None:
        step = self._open_plan.plan.step(self._step_id)
        if name == "on_error":
            self._open_plan.push(SetStepField(step.id, name, value or OnError.STOP.value))
        elif name == "timeout_s":
            if value is None or positive(value):
                self._open_plan.push(SetStepField(step.id, name, value))
        else:
            retry = changed_retry(step.retry, name, value)
            if retry is not None and retry != step.retry:
                self._open_plan.push(SetStepField(step.id, "retry", retry))


def changed_retry(retry: Retry, name: str, value: Json) -> Retry | None:
    """The retry with one part changed, None for a value it cannot take (a number half typed)."""
    if name == "backoff":
        return replace(retry, backoff=Backoff(str(value or Retry().backoff)))
    if name == "jitter":
        return replace(retry, jitter=Retry().jitter if value is None else bool(value))
    number = positive(getattr(Retry(), name) if value is None else value)
    if number is None or (name == "tries" and (number < 1 or number != int(number))):
        return None
    if name == "tries":
        return replace(retry, tries=int(number))
    return replace(retry, delay_s=number) if name == "delay_s" else replace(retry, max_delay_s=number)


def positive(value: Json) -> float | None:
    """The value as a number of at least zero, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return value
