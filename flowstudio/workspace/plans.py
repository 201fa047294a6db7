"""Plans: the live plans of a user, their triggers, and what they still lack."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from flowstudio.engine.ports import Clock
from flowstudio.plan.model import KEYWORDS, Json, Plan, Trigger, TriggerKind
from flowstudio.plan.rules import Problem, check_plan
from flowstudio.providers.registry import Registry
from flowstudio.workspace import plan_json
from flowstudio.workspace.credentials import Credentials
from flowstudio.workspace.errors import BadRequestError, NoSuchPlanError
from flowstudio.workspace.ports import PlanRecord, PlanStore
from flowstudio.workspace.schedules import DEFAULT_TIMEZONE, Schedules, cron_of

_KEYWORD_PROVIDERS = frozenset(provider for provider, _ in KEYWORDS)


@dataclass(frozen=True, slots=True)
class PlanStored:
    """Published when a live plan was stored, replaced or given another trigger."""

    user_id: str
    plan_id: str


@dataclass(frozen=True, slots=True)
class PlanDeleted:
    user_id: str
    plan_id: str


class Plans:
    """Thread-safe. What is stored here is live: its triggers start runs while it is enabled."""

    def __init__(
        self,
        store: PlanStore,
        schedules: Schedules,
        credentials: Credentials,
        catalogue: Callable[[str], Registry],
        clock: Clock,
        publish: Callable[[object], None],
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._credentials = credentials
        self._catalogue = catalogue
        self._clock = clock
        self._publish = publish

    def create(self, user_id: str, doc: Mapping[str, Any]) -> PlanRecord:
        """Stores a plan in the contract's shape under a new id.

        Raises BadRequestError naming the field, PlanError, ScheduleError, WebhookTakenError: nothing is stored then.
        """
        return self._save(plan_json.new_record(user_id, str(uuid4()), doc, self._clock.now()))

    def save_plan(self, user_id: str, plan: Plan) -> PlanRecord:
        """Makes this plan the live revision of its id: what the window's Publish does."""
        now = self._clock.now()
        old = self._store.get(user_id, plan.id)
        if old is None:
            return self._save(PlanRecord(plan.id, user_id, plan, created_at=now, updated_at=now))
        return self._save(replace(old, plan=plan, updated_at=now, revision=old.revision + 1))

    def update(self, user_id: str, plan_id: str, doc: Mapping[str, Any]) -> PlanRecord:
        """Replaces any subset of the contract's keys; errors as create, and NoSuchPlanError."""
        return self._save(plan_json.changed_record(self.get(user_id, plan_id), doc, self._clock.now()))

    def get(self, user_id: str, plan_id: str) -> PlanRecord:
        record = self._store.get(user_id, plan_id)
        if record is None:
            raise NoSuchPlanError("Plan not found")
        return record

    def list(self, user_id: str) -> Sequence[PlanRecord]:
        """Newest first."""
        return self._store.list(user_id)

    def delete(self, user_id: str, plan_id: str) -> None:
        """Removes the plan and all that would start it. Its runs stay in the history."""
        if not self._store.delete(user_id, plan_id):
            raise NoSuchPlanError("Plan not found")
        self._schedules.remove(plan_id)
        self._publish(PlanDeleted(user_id, plan_id))

    def set_trigger(
        self, user_id: str, plan_id: str, trigger: Mapping[str, Any] | None, enabled: bool | None = None
    ) -> PlanRecord:
        """Replaces (None: removes) the plan's trigger and registers it; enabled None leaves the switch as it is."""
        record = self.get(user_id, plan_id)
        plan = plan_json.with_trigger(record.plan, trigger)
        if trigger is not None and plan.triggers[0].kind is TriggerKind.WEBHOOK:
            _require_path(plan.triggers[0])
        return self._save(self._changed(record, plan, enabled))

    def set_schedule(self, user_id: str, plan_id: str, cron: str, timezone: str | None = None) -> PlanRecord:
        """Gives the plan one schedule, in place of the first it has. Raises ScheduleError naming the field."""
        record = self.get(user_id, plan_id)
        config: dict[str, Json] = {"cron_expression": cron, "timezone": timezone or DEFAULT_TIMEZONE}
        triggers = list(record.plan.triggers)
        place = next((i for i, each in enumerate(triggers) if each.kind is TriggerKind.SCHEDULE), None)
        if place is None:
            # In front: the contract shows a plan's first trigger. A manual one starts nothing and gives way.
            triggers = [each for each in triggers if each.kind is not TriggerKind.MANUAL]
            triggers.insert(0, Trigger("schedule", TriggerKind.SCHEDULE, config))
        else:
            triggers[place] = replace(triggers[place], config=config, enabled=True)
        return self._save(self._changed(record, replace(record.plan, triggers=tuple(triggers)), None))

    def remove_schedule(self, user_id: str, plan_id: str) -> PlanRecord:
        """Takes every schedule off the plan."""
        record = self.get(user_id, plan_id)
        left = tuple(each for each in record.plan.triggers if each.kind is not TriggerKind.SCHEDULE)
        return self._save(self._changed(record, replace(record.plan, triggers=left), None))

    def check(self, user_id: str, plan: Plan) -> Sequence[Problem]:
        """Every problem of the plan, with step, field, sentence and severity."""
        return check_plan(plan, self._catalogue(user_id))

    def as_json(self, record: PlanRecord) -> dict[str, Json]:
        """The contract's Plan, missing_auth computed."""
        return self.all_as_json(record.user_id, [record])[0]

    def all_as_json(self, user_id: str, records: Sequence[PlanRecord]) -> Sequence[dict[str, Json]]:
        registry = self._catalogue(user_id)
        held = self._credentials.valid_providers(user_id)
        return [_shape(record, registry, held) for record in records]

    def missing_auth(self, user_id: str, plan: Plan) -> Sequence[str]:
        """Providers of the plan's steps that need a credential the user does not have, in plan order."""
        return _missing(plan, self._catalogue(user_id), self._credentials.valid_providers(user_id))

    def _changed(self, record: PlanRecord, plan: Plan, enabled: bool | None) -> PlanRecord:
        switch = record.enabled if enabled is None else enabled
        now = self._clock.now()
        return replace(record, plan=plan, enabled=switch, updated_at=now, revision=record.revision + 1)

    def _save(self, record: PlanRecord) -> PlanRecord:
        """Checks the triggers first, so that nothing is stored that could not be registered."""
        record = replace(record, plan=with_clean_paths(record.plan))
        for trigger in record.plan.triggers:
            if trigger.kind is TriggerKind.SCHEDULE and trigger.enabled:
                cron_of(trigger)
            if trigger.kind is TriggerKind.WEBHOOK:
                _check_path(trigger)
        self._store.save(record)
        self._schedules.put(record)
        self._publish(PlanStored(record.user_id, record.id))
        return record


def required_providers(plan: Plan) -> Sequence[str]:
    """The providers a plan's steps call, as the plan writes them, in plan order."""
    names = (step.provider for step in plan.steps if step.provider not in _KEYWORD_PROVIDERS)
    return [*dict.fromkeys(names)]


def with_clean_paths(plan: Plan) -> Plan:
    """Webhook paths as the server looks them up: without slashes at their ends and without the address before them."""
    return replace(plan, triggers=tuple(_with_clean_path(each) for each in plan.triggers))


def clean_path(path: str) -> str:
    return path.strip().removeprefix("/api/webhook/").removeprefix("api/webhook/").strip("/")


def _with_clean_path(trigger: Trigger) -> Trigger:
    path = trigger.config.get("webhook_path")
    if trigger.kind is not TriggerKind.WEBHOOK or not isinstance(path, str) or path == clean_path(path):
        return trigger
    return replace(trigger, config={**trigger.config, "webhook_path": clean_path(path)})


def _check_path(trigger: Trigger) -> None:
    """Raises BadRequestError for a path no request can come to: clients take . and .. out of an address."""
    path = trigger.config.get("webhook_path")
    if isinstance(path, str) and (not path.isprintable() or {".", ".."} & set(path.split("/"))):
        raise BadRequestError(
            f"`webhook_path` is “{ascii(path[:80])[1:-1]}”, which no address can have.",
            fix="Use letters, digits, hyphens and slashes, such as shop/new-order.",
            facts={"field": "webhook_path"},
        )


def _require_path(trigger: Trigger) -> None:
    path = trigger.config.get("webhook_path")
    if not isinstance(path, str) or not clean_path(path):
        field = "trigger.config.webhook_path"
        raise BadRequestError(
            f"`{field}` is missing: a webhook needs a path.", fix="For instance new-lead.", facts={"field": field}
        )


def _shape(record: PlanRecord, registry: Registry, held: frozenset[str]) -> dict[str, Json]:
    plan = record.plan
    return plan_json.as_json(record, required_providers(plan), _missing(plan, registry, held))


def _missing(plan: Plan, registry: Registry, held: frozenset[str]) -> list[str]:
    missing = []
    for name in required_providers(plan):
        manifest = registry.provider(name)
        if manifest is not None and manifest.auth.is_needed and not held & {name, manifest.id, *manifest.aliases}:
            missing.append(name)
    return missing
