"""Plan, Step, Edge, Port, Trigger, Retry, Note, Frame: frozen values.

JSON values inside (params, config, variables, extra) are never changed in place: an edit makes new ones.
`extra` keeps keys this version does not know, so that a document read and written again loses nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
StepId: TypeAlias = str

NOTHING: Mapping[str, Json] = {}


class StepKind(StrEnum):
    """How the engine treats a step: it calls an action, or it steers the flow."""

    ACTION = "action"
    CONDITION = "condition"
    SWITCH = "switch"
    LOOP = "loop"
    WHILE = "while"
    BREAK = "break"
    SKIP_ITEM = "skip_item"
    MERGE = "merge"
    WAIT = "wait"
    SUBPLAN = "subplan"
    RESPOND = "respond"
    STOP = "stop"

    @property
    def holds_steps(self) -> bool:
        """Whether steps can lie inside it: it has a body, which it goes through again and again."""
        return self is StepKind.LOOP or self is StepKind.WHILE

    @property
    def asks_condition(self) -> bool:
        """Whether its param `condition` is an expression whose truth is asked for, with or without braces."""
        return self is StepKind.CONDITION or self is StepKind.WHILE

    @property
    def ends_item(self) -> bool:
        """Whether it ends the turn of the item around it, so that it makes sense inside a loop only."""
        return self is StepKind.BREAK or self is StepKind.SKIP_ITEM


KEYWORDS: Mapping[tuple[str, str], StepKind] = {
    ("flow", "condition"): StepKind.CONDITION,
    ("flow", "switch"): StepKind.SWITCH,
    ("flow", "loop"): StepKind.LOOP,
    ("flow", "while"): StepKind.WHILE,
    ("flow", "break"): StepKind.BREAK,
    ("flow", "skip_item"): StepKind.SKIP_ITEM,
    ("flow", "merge"): StepKind.MERGE,
    ("flow", "subplan"): StepKind.SUBPLAN,
    ("flow", "respond"): StepKind.RESPOND,
    ("flow", "stop"): StepKind.STOP,
    ("wait", "duration"): StepKind.WAIT,
    ("wait", "until"): StepKind.WAIT,
    ("wait", "webhook"): StepKind.WAIT,
}
"""(provider, action) pairs reserved by the language. Their forms come from manifests like any other action's."""


AWAITED_CALL = ("wait", "webhook")
"""The wait that ends when a call comes."""


class OnError(StrEnum):
    """What a step's failure does, after its retries: end the run, go on by `out`, or leave by the `error` port."""

    STOP = "stop"
    CONTINUE = "continue"
    BRANCH = "branch"


class Backoff(StrEnum):
    FIXED = "fixed"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Retry:
    """tries counts the first attempt: 1 means no retry. Delays in seconds; jitter draws from 0 to the delay."""

    tries: int = 1
    delay_s: float = 1.0
    backoff: Backoff = Backoff.EXPONENTIAL
    max_delay_s: float = 60.0
    jitter: bool = True


@dataclass(frozen=True, slots=True)
class Port:
    """A named way out of a step. container: its edge enters the step's own body."""

    name: str
    title: str
    container: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One card of the plan.

    id: a stable identifier, `[a-z][a-z0-9_]*`, unique in the plan; expressions say `steps.<id>.output`.
    parent: id of the loop whose body holds this step, None at the top level.
    credential: name of the user's credential for the provider, None for the default one.
    x, y: top left corner on the canvas in scene pixels; inside a loop still in scene coordinates.
    timeout_s: time limit of one attempt, None for the action's own.
    """

    id: StepId
    provider: str
    action: str
    title: str = ""
    params: Mapping[str, Json] = field(default_factory=dict)
    x: float = 0.0
    y: float = 0.0
    parent: StepId | None = None
    on_error: OnError = OnError.STOP
    retry: Retry = Retry()
    timeout_s: float | None = None
    credential: str | None = None
    disabled: bool = False
    notes: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def kind(self) -> StepKind:
        return KEYWORDS.get((self.provider, self.action), StepKind.ACTION)

    @property
    def label(self) -> str:
        """The title, or what stands in for it."""
        return self.title or f"{self.provider}.{self.action}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A wire from a named port of one step to another step. The triple is its identity."""

    source: StepId
    port: str
    target: StepId
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> tuple[StepId, str, StepId]:
        return (self.source, self.port, self.target)


class TriggerKind(StrEnum):
    """plan: another plan called this one as a step. error: another plan's run failed."""

    MANUAL = "manual"
    WEBHOOK = "webhook"
    SCHEDULE = "schedule"
    EVENT = "event"
    PLAN = "plan"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts runs by itself.

    config: webhook {webhook_path, webhook_secret}; schedule {cron_expression, timezone}; event {event_source,
    event_type}.
    """

    id: str
    kind: TriggerKind
    config: Mapping[str, Json] = field(default_factory=dict)
    enabled: bool = True
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """A Markdown note on the canvas."""

    id: str
    text: str
    x: float
    y: float
    width: float = 240.0
    height: float = 120.0
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """A titled rectangle that groups without meaning."""

    id: str
    title: str
    x: float
    y: float
    width: float
    height: float
    extra: Mapping[str, Json] = field(default_factory=dict)


class WhenBusy(StrEnum):
    """What a new run does when as many runs of its plan as may run at once are under way."""

    PARALLEL = "parallel"
    QUEUE = "queue"
    SKIP = "skip"
    REPLACE = "replace"


class AfterCrash(StrEnum):
    """What becomes of a write that was in flight when the process died, and may or may not have happened."""

    ASK = "ask"
    RETRY = "retry"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """How a plan's runs are treated.

    runs_at_once: most runs of this plan under way; it counts unless `when_busy` is parallel, which knows no limit.
    error_plan: id of the plan that runs, with the failed run as its input, when a run of this one fails.
    after_crash: for writes whose vendor honours no idempotency key; those that have one are simply sent again.
    keep_runs, keep_days: how much history is kept of this plan; None for the installation's own setting.
    """

    runs_at_once: int = 1
    when_busy: WhenBusy = WhenBusy.PARALLEL
    error_plan: str | None = None
    after_crash: AfterCrash = AfterCrash.ASK
    keep_runs: int | None = None
    keep_days: float | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A graph of steps.

    steps: in creation order; the canvas draws by position, the engine walks by edges.
    ordinals: step ids in the order the old `step_N` references count them; empty means the order of `steps`.
    variables: read as `{{ vars.<name> }}`.
    pins: outputs that stand in for steps in runs a person starts; a trigger's runs never use them.
    """

    id: str
    name: str
    description: str = ""
    steps: tuple[Step, ...] = ()
    edges: tuple[Edge, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    variables: Mapping[str, Json] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    frames: tuple[Frame, ...] = ()
    ordinals: tuple[StepId, ...] = ()
    pins: Mapping[StepId, Json] = field(default_factory=dict)
    settings: PlanSettings = PlanSettings()
    extra: Mapping[str, Json] = field(default_factory=dict)

    def step(self, step_id: StepId) -> Step:
        """The step of that id. Raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def has_step(self, step_id: StepId) -> bool:
        return any(step.id == step_id for step in self.steps)

    def children(self, parent: StepId | None) -> Iterator[Step]:
        """The steps directly inside a loop, or at the top level for None."""
        return (step for step in self.steps if step.parent == parent)

    def edges_from(self, step_id: StepId) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.source == step_id)


OUT = Port("out", "Then")
ERROR = Port("error", "On error")

_PORTS: Mapping[StepKind, tuple[Port, ...]] = {
    StepKind.CONDITION: (Port("true", "True"), Port("false", "False")),
    StepKind.LOOP: (Port("body", "For each item", container=True), Port("done", "Done")),
    StepKind.WHILE: (Port("body", "While true", container=True), Port("done", "Done")),
    StepKind.BREAK: (),
    StepKind.SKIP_ITEM: (),
    StepKind.STOP: (),
}


def ports_of(step: Step) -> tuple[Port, ...]:
    """The ways out of a step, top to bottom; `error` comes last and only when its failure branches.

    A switch has a port for each entry of its `cases` param ({"name", "equals"}), then `default`.
    """
    if step.kind is StepKind.SWITCH:
        ports = (*(Port(name, name) for name in case_names(step)), Port("default", "Otherwise"))
    else:
        ports = _PORTS.get(step.kind, (OUT,))
    return (*ports, ERROR) if step.on_error is OnError.BRANCH else ports


def case_names(step: Step) -> tuple[str, ...]:
    """Names of a switch's cases in order; entries without a usable name are left out (rules report them)."""
    cases = step.params.get("cases")
    if not isinstance(cases, list):
        return ()
    names = (case.get("name") for case in cases if isinstance(case, dict))
    return tuple(name for name in names if isinstance(name, str) and name)
