"""Where plans, their edits and integrations live. storage implements these; app.py joins them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flowstudio.engine.model import IterationPath, Run, RunState, StepRun
from flowstudio.engine.ports import Exchange
from flowstudio.plan.model import Json, Plan
from flowstudio.workspace.run_log import Level, LogLine

LOCAL_USER = "local"
"""The desktop's own user."""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A stored plan: the live revision and what the old service kept beside it. id equals plan.id.

    status: draft, approved, rejected, active, paused or archived. enabled: its triggers may start runs.
    extra: unknown keys a client sent, returned as they came. revision counts saves from 1.
    """

    id: str
    user_id: str
    plan: Plan
    created_at: datetime
    updated_at: datetime
    status: str = "active"
    enabled: bool = True
    original_prompt: str = ""
    plain_english_steps: tuple[str, ...] = ()
    approved_at: datetime | None = None
    revision: int = 1
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanStamp:
    """Which state of which plan is stored: tells a copy at hand from a stale one."""

    user_id: str
    plan_id: str
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookRoute:
    """Which trigger of which plan answers a path."""

    path: str
    plan: PlanStamp
    trigger_id: str


class PlanStore(Protocol):
    """Every method sees the plans of user_id alone, except `webhook`, `enabled_plans` which serve triggers."""

    def save(self, record: PlanRecord) -> None:
        """Inserts or replaces. Raises WebhookTakenError when another plan owns one of its webhook paths."""
        ...

    def get(self, user_id: str, plan_id: str) -> PlanRecord | None: ...

    def list(self, user_id: str) -> Sequence[PlanRecord]:
        """Newest first."""
        ...

    def delete(self, user_id: str, plan_id: str) -> bool: ...

    def stamp(self, user_id: str, plan_id: str) -> PlanStamp | None: ...

    def webhook(self, path: str) -> WebhookRoute | None: ...

    def enabled_plans(self) -> Sequence[PlanRecord]:
        """Of all users: what can start by itself."""
        ...


@dataclass(frozen=True, slots=True)
class JournaledEdit:
    """One edit of a draft: the edit and its inverse as plan.edits documents. sequence counts from 1 in the draft."""

    sequence: int
    edit: Mapping[str, Json]
    inverse: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Draft:
    """What an unpublished plan is made from: a snapshot and the edits after it. file: the .flow it was opened from."""

    plan_id: str
    user_id: str
    snapshot: Plan
    edits: tuple[JournaledEdit, ...]
    file: str | None
    updated_at: datetime


class EditJournal(Protocol):
    """Every append is durable on return, so a crash loses nothing that was on the screen."""

    def open(self, user_id: str, plan: Plan, file: str | None) -> None:
        """Begins (or begins again) the draft of plan.id with this snapshot and no edits."""
        ...

    def append(self, user_id: str, plan_id: str, edit: JournaledEdit) -> None: ...

    def snapshot(self, user_id: str, plan: Plan, file: str | None) -> None:
        """Replaces snapshot and edits in one transaction."""
        ...

    def load(self, user_id: str, plan_id: str) -> Draft | None: ...

    def list(self, user_id: str) -> Sequence[Draft]: ...

    def discard(self, user_id: str, plan_id: str) -> None: ...


class RunHistory(Protocol):
    """Reading runs, per user. The same store also is the engine's RunStore."""

    def find(self, user_id: str, run_id: str) -> Run | None: ...

    def list_runs(
        self, user_id: str, *, plan_id: str | None = None, limit: int = 100, state: RunState | None = None
    ) -> Sequence[Run]:
        """Newest first."""
        ...

    def unfinished_of(self, user_id: str) -> Sequence[Run]:
        """Runs of the user that have not ended, oldest first."""
        ...

    def step_runs(self, run_id: str) -> list[StepRun]: ...

    def step_run(self, run_id: str, step_id: str, iteration: IterationPath) -> StepRun | None: ...

    def each_step_run(self, run_id: str) -> Iterator[StepRun]:
        """As step_runs, read as it goes."""
        ...

    def log_lines(self, run_id: str, level: Level, after: int, limit: int) -> Sequence[LogLine]:
        """In the order they were told, of that level and above, from the one after that sequence on."""
        ...

    def exchanges(self, run_id: str) -> Iterator[Exchange]:
        """What the run's steps said to servers, in the order of time, read as it goes."""
        ...

    def counts(self, user_id: str) -> Mapping[str, int]:
        """Run state -> how many."""
        ...


@dataclass(frozen=True, slots=True)
class Integration:
    """A user's own integration, in API.md's shape. actions: {id, name, description, method, endpoint, params}."""

    id: str
    user_id: str
    name: str
    display_name: str
    description: str
    auth_type: str
    oauth_config: Mapping[str, Json]
    actions: tuple[Mapping[str, Json], ...]
    created_at: datetime
    updated_at: datetime


class IntegrationStore(Protocol):
    def save(self, integration: Integration) -> None: ...

    def get(self, user_id: str, integration_id: str) -> Integration | None: ...

    def list(self, user_id: str) -> Sequence[Integration]: ...

    def delete(self, user_id: str, integration_id: str) -> bool: ...
