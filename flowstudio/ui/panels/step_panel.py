"""The right dock: the form of the selected step, the plan's own form while nothing is selected."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from flowstudio.plan.model import Plan, StepId
from flowstudio.plan.rules import Problem
from flowstudio.providers.registry import Registry
from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.plan_form import PlanForm
from flowstudio.ui.forms.step_facts import StepFacts
from flowstudio.ui.forms.step_form import StepForm
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_4


class StepPanel(QWidget):
    add_credential = Signal(str)  # provider id
    titled = Signal(str)  # what the form is about: "Step", "Plan"

    def __init__(self, registry: Registry, address: str, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._registry = registry
        self._address = address
        self._icons = icons
        self._open_plan: OpenPlan | None = None
        self._old_plan: Plan | None = None
        self._address_of: Callable[[StepId], str] = lambda _: ""
        self._selected: Sequence[StepId] = ()
        self._many = text_label("", "muted", wraps=True)
        self._many.setContentsMargins(SPACE_4, SPACE_4, SPACE_4, SPACE_4)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._many)
        self._shown: QWidget | None = None

    @property
    def form(self) -> StepForm | PlanForm | None:
        """What edits the draft; None while several steps are selected, or an old run is looked at."""
        return self._shown if isinstance(self._shown, StepForm | PlanForm) else None

    def set_address(self, address: str) -> None:
        """Where webhooks are served, once that is known."""
        self._address = address
        if isinstance(self.form, PlanForm):
            self._rebuild()

    def repaint_form(self) -> None:
        """Another theme: what was tinted when it was written is written again."""
        self._rebuild()

    def show_open_plan(self, open_plan: OpenPlan | None) -> None:
        """Another tab came to the front."""
        self._open_plan = open_plan
        self._selected = ()
        self._rebuild()

    def show_old_plan(self, plan: Plan | None) -> None:
        """The plan of an old run, shown without a way to change it; None for the draft again."""
        if plan is not self._old_plan:
            self._old_plan = plan
            self._selected = ()
            self._rebuild()

    def show_selection(self, step_ids: Sequence[StepId]) -> None:
        """Cards of removed steps leave the selection one by one, so it may still name a step that is gone."""
        plan = self._open_plan.plan if self._open_plan is not None else None
        there = tuple(each for each in step_ids if plan is not None and plan.has_step(each))
        if there != tuple(self._selected) or self.form is None:
            self._selected = there
            self._rebuild()

    def show_edit(self) -> None:
        """The plan changed: values follow; a step that went or became another kind needs another form."""
        if self._open_plan is None:
            return
        if isinstance(self.form, StepForm) and not self._still_fits(self.form):
            self._selected = tuple(each for each in self._selected if self._open_plan.plan.has_step(each))
            self._rebuild()
        elif self.form is not None:
            self.form.show_plan()

    def show_calls(self, address_of: Callable[[StepId], str]) -> None:
        """address_of: whose call ends the wait of that step in the run in front, "" while it does not wait."""
        self._address_of = address_of
        self._show_address()

    def _show_address(self) -> None:
        if isinstance(self.form, StepForm) and self.form.inputs.call_address is not None:
            self.form.inputs.call_address.show_address(self._address_of(self.form.step_id))

    def show_problems(self, problems: Sequence[Problem]) -> None:
        if self.form is not None:
            self.form.show_problems(problems)

    def reveal(self, field: str | None) -> None:
        if self.form is not None:
            self.form.reveal(field)

    def reload_credentials(self) -> None:
        if isinstance(self.form, StepForm) and self.form.inputs.credential is not None:
            self.form.inputs.credential.reload()

    def _still_fits(self, form: StepForm) -> bool:
        plan = form.open_plan.plan
        if not plan.has_step(form.step_id):
            return False
        step = plan.step(form.step_id)
        return (step.provider, step.action) == form.made_for

    def _rebuild(self) -> None:
        old, self._shown = self._shown, self._new_content()
        if self._shown is None:
            self._many.setText(self._in_place_of_a_form())
            self._stack.setCurrentWidget(self._many)
        else:
            self._stack.addWidget(self._shown)
            self._stack.setCurrentWidget(self._shown)
        self._show_address()
        self.titled.emit("Plan" if isinstance(self._shown, PlanForm) else "Step")
        if old is not None:
            self._stack.removeWidget(old)
            old.hide()
            old.deleteLater()

    def _new_content(self) -> QWidget | None:
        if self._open_plan is None or len(self._selected) > 1:
            return None
        if self._old_plan is not None:
            return StepFacts(self._old_plan.step(self._selected[0]), self._registry) if self._selected else None
        if not self._selected:
            return PlanForm(self._open_plan, self._address, self._icons)
        form = StepForm(self._open_plan, self._selected[0], self._registry, self._icons)
        form.add_credential.connect(self.add_credential)
        return form

    def _in_place_of_a_form(self) -> str:
        if self._selected:
            return f"{len(self._selected)} steps are selected."
        return "No plan is open." if self._open_plan is None else "Select a step to see how it was set when it ran."
