"""The user's stored plans, by name, as the choices of an editor."""

from collections import Counter
from collections.abc import Sequence

from flowstudio.providers.manifest import Choice
from flowstudio.ui.forms.editors.choice import ChoiceEditor
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tasks import Task
from flowstudio.workspace.ports import PlanRecord

NO_SUCH_PLAN = "{} (no such plan)"


def offer_plans(editor: ChoiceEditor, open_plan: OpenPlan, *, nothing: str, with_itself: bool) -> None:
    """Reads the plans in the background. with_itself: whether the open plan is among them."""

    def offer(records: Sequence[PlanRecord]) -> None:
        choices = plan_choices(records, open_plan.plan.id, with_itself=with_itself)
        editor.offer(choices, nothing=nothing if choices else "No other plan", unknown=NO_SUCH_PLAN)

    plans, user_id = open_plan.services.plans, open_plan.user_id
    Task(lambda: plans.list(user_id), editor).success(offer).start()


def plan_choices(records: Sequence[PlanRecord], own_id: str, *, with_itself: bool) -> list[Choice]:
    """By name; the id tells plans of the same name apart."""
    times = Counter(record.plan.name for record in records)
    found = []
    for record in sorted(records, key=lambda record: record.plan.name.casefold()):
        name = record.plan.name or "Untitled plan"
        if record.id == own_id:
            if with_itself:
                found.append(Choice(record.id, f"{name} (this plan)"))
        else:
            found.append(Choice(record.id, f"{name} ({record.id})" if times[record.plan.name] > 1 else name))
    return found
