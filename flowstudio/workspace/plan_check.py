"""Whether a plan can run, told before it does, of every plan whoever starts it."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from flowstudio.plan.model import Plan
from flowstudio.plan.rules import Problem, Severity, check_plan
from flowstudio.providers.registry import Registry
from flowstudio.workspace.errors import PlanNotRunnableError
from flowstudio.workspace.live_plans import LivePlans

CHECKED_PLANS = 256
"""How many check results are remembered; a webhook's plan is checked once, not at every request."""


class PlanCheck:
    """check_plan with a memory. Plans and registries are immutable, so the same two objects have the same problems."""

    def __init__(self, catalogue: Callable[[str], Registry]) -> None:
        self._catalogue = catalogue
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, int], tuple[Plan, Registry, tuple[Problem, ...]]] = OrderedDict()

    def __call__(self, user_id: str, plan: Plan) -> tuple[Problem, ...]:
        registry = self._catalogue(user_id)
        key = (id(plan), id(registry))
        with self._lock:
            known = self._known.get(key)
            # The entry holds both objects, so their addresses cannot have been given to others meanwhile.
            if known is not None:
                self._known.move_to_end(key)
                return known[2]
        problems = tuple(check_plan(plan, registry))
        with self._lock:
            self._known[key] = (plan, registry, problems)
            while len(self._known) > CHECKED_PLANS:
                self._known.popitem(last=False)
        return problems

    def require(self, user_id: str, plan: Plan) -> None:
        """Raises PlanNotRunnableError listing every error problem."""
        errors = [each for each in self(user_id, plan) if each.severity is Severity.ERROR]
        if errors:
            raise PlanNotRunnableError(plan.name, errors)


class RunnablePlans:
    """The engine's PlanSource: the plans that steps call and that failures start. Thread-safe."""

    def __init__(self, live: LivePlans, check: PlanCheck) -> None:
        self._live = live
        self._check = check

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        """The user's plan as it is stored now. Raises PlanNotRunnableError."""
        plan = self._live.find(user_id, plan_id)
        if plan is not None:
            self._check.require(user_id, plan)
        return plan
