"""What the engine needs from others: protocols, joined to implementations in app.py only."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import Failure, IterationPath, Run, RunOptions, RunState, StepRun
from flowstudio.plan.model import Json, Plan, StepId


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one action. params are rendered: no expression is left in them.

    timeout_s: total time this attempt may take, None for the action's own limit.
    credential: the step's choice of credential by name, None for the user's default of the provider.
    log: (level, text) -> None; levels "debug", "info", "warning", "error". Thread-safe.
    keep: (time, document) -> None; what the call said to a server and heard from it, for the history. Thread-safe.
    idempotency_key: the same for every attempt of this step in this iteration of this run.
    """

    user_id: str
    run_id: str
    step_id: StepId
    iteration: IterationPath
    attempt: int
    provider: str
    action: str
    params: Mapping[str, Json]
    credential: str | None
    timeout_s: float | None
    cancel: CancelToken
    log: Callable[[str, str], None]
    keep: Callable[[datetime, Mapping[str, Json]], None]
    idempotency_key: str


class ActionFailure(Protocol):
    """Why an action failed, as its provider tells it."""

    @property
    def code(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def fix(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Json]: ...
    @property
    def retryable(self) -> bool: ...
    @property
    def retry_after_s(self) -> float | None: ...


class ActionResult(Protocol):
    """What an action answered."""

    @property
    def success(self) -> bool: ...
    @property
    def output(self) -> Json: ...
    @property
    def message(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, Json]: ...
    @property
    def error(self) -> ActionFailure | None: ...


class CallLimit(Protocol):
    """A limit that calls share. key: equal for all of them; title: whose limit it is, in words.

    At most `calls` begin within any `per_s` seconds, at most `concurrent` are under way; None for no such limit.
    """

    @property
    def key(self) -> Hashable: ...
    @property
    def title(self) -> str: ...
    @property
    def calls(self) -> int | None: ...
    @property
    def per_s(self) -> float: ...
    @property
    def concurrent(self) -> int | None: ...


class ActionInvoker(Protocol):
    def limit(self, user_id: str, provider: str, credential: str | None) -> CallLimit | None:
        """What a user's calls of a provider with a credential share, None for nothing. Quick; `invoke` ignores it."""
        ...

    def invoke(self, call: Invocation) -> ActionResult:
        """Performs the call; expected faults come back as an unsuccessful result, bugs raise. Blocks."""
        ...

    def preview(self, call: Invocation) -> ActionResult:
        """What `invoke` would send, as the output, with secrets masked; sends nothing. Fails as `invoke` would."""
        ...

    def masked(self, call: Invocation) -> Mapping[str, Json]:
        """The call's params fit to be shown to a person: secrets masked."""
        ...


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run's move to another state, journaled with the step results around it. options: its new ones, if changed."""

    run_id: str
    state: RunState
    at: datetime
    failure: Failure | None = None
    response: Json = None
    options: RunOptions | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One thing a step said to a server and heard from it. document: as its provider put it down, without secrets."""

    run_id: str
    step_id: StepId
    iteration: IterationPath
    attempt: int
    at: datetime
    document: Mapping[str, Json]


Note: TypeAlias = LogWritten | Exchange
"""What a run's history keeps beside its steps' results."""


class RunStore(Protocol):
    """Durable home of runs. Every method is thread-safe; the journal's writer thread calls `write`.

    Errors: StorageError family (disk full, locked, read-only), raised before anything is half-written.
    """

    def write(
        self,
        entries: Sequence[StepRun | RunChange | Note],
        new_runs: Sequence[Run] = (),
        seeds: Sequence[StepRun] = (),
    ) -> frozenset[str]:
        """New runs first, then all entries, in one transaction, durable on return.

        seeds: results that new runs begin with; left out for a run that was there already.
        Returns the ids of the runs that really are new: a run whose id exists already stays as it was. A running or
        waiting row of a step gives way to a later one; a final row stays as it is.
        """
        ...

    def get(self, run_id: str) -> Run | None: ...

    def step_run(self, run_id: str, step_id: StepId, iteration: IterationPath) -> StepRun | None: ...

    def step_runs(self, run_id: str) -> list[StepRun]:
        """In order of sequence."""
        ...

    def unfinished(self) -> list[Run]:
        """Runs of all users in a state that is not final, oldest first: what a restart has to take up."""
        ...


class PlanSource(Protocol):
    """Where steps that run other plans find them."""

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        """The user's plan as it is stored now. Thread-safe; raises the StorageError family."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        ...
