"""What a plan means, as plainly as it can be said: a recursive interpreter to hold the engine against.

It goes through the steps of a body one after the other, in an order in which each comes after all that lead to it, and
runs the items of a loop one by one. Where the engine is free to choose or the world has a say (which of several
arrivals was the first, how far other branches and items had come when a break or a failure cut them off, what a call
brought) it asks its Choices.

Actions are functions of their `value` that raise Refused to fail. No threads, no clock, no journal, no events.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from flowstudio.engine.errors import failure_as_json, failure_of
from flowstudio.engine.model import IterationPath
from flowstudio.plan.expression import ExpressionError, Scope, StepView, compile_condition, compile_value
from flowstudio.plan.model import Edge, Json, OnError, Plan, Step, StepId, StepKind, ports_of

Place = tuple[StepId, IterationPath]
Action = Callable[[Json], Json]
CUT = "cut"
"""State of a step that would have run, had its item or its run not ended before it."""


class Refused(Exception):
    """An action's way to fail. Its text is the failure's sentence."""


@dataclass(frozen=True)
class Entry:
    """How a step ended: succeeded, failed, skipped or cut; by which ports it left, what it gave."""

    state: str
    ports: tuple[str, ...] = ()
    output: Json = None
    error: Json = None

    @property
    def is_live(self) -> bool:
        return self.state in ("succeeded", "failed") or (self.state == "skipped" and bool(self.ports))


class Choices(Protocol):
    """What the engine decides by chance."""

    def is_cut(self, place: Place) -> bool: ...
    def first_arrival(self, sources: Sequence[Place]) -> Place: ...
    def items_started(self, loop: Place) -> int: ...
    def brought(self, place: Place) -> Json: ...


@dataclass
class Account:
    """What came of a plan.

    left: turns that were ended, (loop, path of the turn) -> the step that did it. shortened: loops that started fewer
    items than they have, without a break of their own. enders: steps that end the run.
    """

    entries: dict[Place, Entry] = field(default_factory=dict)
    left: dict[Place, Place] = field(default_factory=dict)
    shortened: list[Place] = field(default_factory=list)
    enders: list[Place] = field(default_factory=list)


@dataclass
class Turn:
    """One pass through a body. loop: the step whose body it is, None for the plan's top level."""

    loop: StepId | None
    path: IterationPath
    outer: "Turn | None" = None
    item: Json = None
    views: dict[StepId, StepView] = field(default_factory=dict)
    is_broken: bool = False
    is_left: bool = False
    kept: list[Json] = field(default_factory=list)


class Reference:
    def __init__(self, plan: Plan, actions: Mapping[str, Action], choices: Choices) -> None:
        self.plan = plan
        self.actions = actions
        self.choices = choices
        self.account = Account()

    def run(self) -> Account:
        self._body(Turn(None, ()))
        return self.account

    # one body

    def _body(self, turn: Turn) -> None:
        for step in in_order(self.plan, turn.loop):
            entry = self._step(step, turn)
            self.account.entries[step.id, turn.path] = entry
            if entry.is_live:
                turn.views[step.id] = StepView(entry.output, "", entry.error)

    def _step(self, step: Step, turn: Turn) -> Entry:
        inlets = self._inlets(step, turn.path)
        live = [edge for edge in inlets if edge.port in self.account.entries[edge.source, turn.path].ports]
        if inlets and not live:
            return Entry("skipped")
        if self.choices.is_cut((step.id, turn.path)):
            if step.kind.holds_steps and self.choices.items_started((step.id, turn.path)):
                with suppress(ExpressionError):
                    self._loop(step, turn)  # its items came some way before it was cut
            return Entry(CUT)
        if step.disabled:
            return Entry("skipped", passes(step))
        return self._perform(step, turn, live)

    def _inlets(self, step: Step, path: IterationPath) -> list[Edge]:
        return [edge for edge in self.plan.edges if edge.target == step.id and edge.port != "body"]

    def _perform(self, step: Step, turn: Turn, live: list[Edge]) -> Entry:
        try:
            entry = self._do(step, turn, live)
        except ExpressionError as error:
            entry = self._failed(step, failure_as_json(failure_of(error)))
        except Refused as refusal:
            error_of_action: dict[str, Json] = {
                "code": "provider.vendor",
                "sentence": str(refusal),
                "fix": "",
                "facts": {},
            }
            entry = self._failed(step, error_of_action)
        if step.kind is StepKind.STOP or (entry.state == "failed" and step.on_error is OnError.STOP):
            self.account.enders.append((step.id, turn.path))
        return entry

    def _failed(self, step: Step, error: dict[str, Json]) -> Entry:
        if step.on_error is OnError.STOP:
            return Entry("failed", (), None, error)
        ports = ("error",) if step.on_error is OnError.BRANCH else passes(step)
        return Entry("failed", ports, {"error": error}, error)

    # one step

    def _do(self, step: Step, turn: Turn, live: list[Edge]) -> Entry:
        kind = step.kind
        if kind is StepKind.CONDITION:
            holds = self._holds(step, self._scope(turn))
            return Entry("succeeded", ("true" if holds else "false",), {"result": holds})
        if kind.holds_steps:
            return Entry("succeeded", ("done",), self._loop(step, turn))
        params = {name: self._value(step, name, self._scope(turn)) for name in step.params}
        if kind is StepKind.WAIT:
            return Entry("succeeded", ("out",), self.choices.brought((step.id, turn.path)))
        if kind is StepKind.SUBPLAN:
            inputs: Any = params["inputs"]
            return Entry("succeeded", ("out",), inputs["v"])
        if kind is StepKind.SWITCH:
            cases: Any = params["cases"]
            case = next((each["name"] for each in cases if str(each["equals"]) == str(params["value"])), "default")
            return Entry("succeeded", (case,), {"case": case})
        if kind is StepKind.MERGE:
            return Entry("succeeded", ("out",), self._merge(params, live, turn.path))
        if kind is StepKind.STOP:
            return Entry("succeeded" if params["success"] else "failed")
        if kind is StepKind.BREAK or kind is StepKind.SKIP_ITEM:
            result = params.get("result")
            self._leave(turn, step, result)
            return Entry("succeeded", (), result)
        return Entry("succeeded", ("out",), self.actions[step.action](params.get("value")))

    def _leave(self, turn: Turn, step: Step, result: Json) -> None:
        """Of several steps that end a turn, the first decides what it gives; one that breaks is enough to break."""
        assert turn.loop is not None
        left, place = self.account.left, (step.id, turn.path)
        before = left.get((turn.loop, turn.path))
        if before is None or self.choices.first_arrival([before, place]) == place:
            left[turn.loop, turn.path] = place
            turn.kept = [] if result is None else [result]
        turn.is_left = True
        turn.is_broken = turn.is_broken or step.kind is StepKind.BREAK

    def _merge(self, params: Mapping[str, Json], live: list[Edge], path: IterationPath) -> Json:
        sources = list(dict.fromkeys(edge.source for edge in live))
        outputs = {source: self.account.entries[source, path].output for source in sources}
        mode = params.get("mode")
        if mode in ("any", "first") and not sources:
            return None
        if mode == "any":
            return outputs[self.choices.first_arrival([(source, path) for source in sources])[0]]
        if mode == "first":
            return outputs[sources[0]]
        if mode == "append":
            appended: list[Json] = []
            for output in outputs.values():
                appended += output if isinstance(output, list) else [output]
            return appended
        return dict(outputs)

    # loops

    def _loop(self, step: Step, turn: Turn) -> Json:
        return self._while(step, turn) if step.kind is StepKind.WHILE else self._for_each(step, turn)

    def _for_each(self, step: Step, turn: Turn) -> Json:
        items: Any = self._value(step, "items", self._scope(turn))
        started = self.choices.items_started((step.id, turn.path))
        turns = [self._turn(step, turn, index, items[index]) for index in range(started)]
        if started < len(items) and not any(each.is_broken for each in turns):
            self.account.shortened.append((step.id, turn.path))
        results = [result for each in turns for result in each.kept]
        return {"results": results, "count": len(results)}

    def _while(self, step: Step, turn: Turn) -> Json:
        scope, place = self._scope(turn), (step.id, turn.path)
        last = self._value(step, "start", scope)
        limit: Any = step.params["max_iterations"]
        results: list[Json] = []
        turns, is_over, is_cut = 0, False, False
        while not is_over and self._holds(step, scope.inside(step.id, last, turns)):
            is_cut = turns == limit
            if not is_cut and turns == self.choices.items_started(place):
                self.account.shortened.append(place)
            if is_cut or turns == self.choices.items_started(place):
                break
            done = self._turn(step, turn, turns, last)
            turns, is_over = turns + 1, done.is_broken
            results += done.kept
            last = results[-1] if done.kept else last
        return {"results": results, "count": len(results), "last": last, "limit_reached": is_cut}

    def _turn(self, step: Step, outer: Turn, index: int, item: Json) -> Turn:
        turn = Turn(step.id, (*outer.path, index), outer, item)
        self._body(turn)
        if not turn.is_left:
            turn.kept = [self._outcome(turn)]
        return turn

    def _outcome(self, turn: Turn) -> Json:
        """The output of the live last step; of several, each under its id."""
        leading = {edge.source for edge in self.plan.edges if edge.port != "body"}
        ends = [step.id for step in self.plan.children(turn.loop) if step.id not in leading]
        live = {step_id: turn.views[step_id].output for step_id in ends if step_id in turn.views}
        return next(iter(live.values())) if len(live) == 1 else live or None

    # reading

    def _value(self, step: Step, name: str, scope: Scope) -> Json:
        try:
            return compile_value(step.params[name]).render(scope)
        except ExpressionError as error:
            raise error.located(step.label, name) from error

    def _holds(self, step: Step, scope: Scope) -> bool:
        try:
            return compile_condition(step.params["condition"]).holds(scope)
        except ExpressionError as error:
            raise error.located(step.label, "condition") from error

    def _scope(self, turn: Turn) -> Scope:
        views: dict[StepId, StepView] = {}
        loops: dict[StepId, Any] = {}
        around: Turn | None = turn
        while around is not None:
            views = {**around.views, **views}
            if around.loop is not None:
                loops[around.loop] = {"item": around.item, "index": around.path[-1]}
            around = around.outer
        index = turn.path[-1] if turn.loop is not None else None
        return Scope(views, item=turn.item, index=index, loops=loops)


def passes(step: Step) -> tuple[str, ...]:
    """The port a step leaves by when nothing of it decides that."""
    return tuple(port.name for port in ports_of(step) if not port.container and port.name != "error")[:1]


def in_order(plan: Plan, loop: StepId | None) -> list[Step]:
    """The steps of a body, each after all that lead to it."""
    placed: list[Step] = []
    waiting = list(plan.children(loop))
    while waiting:
        ids = {step.id for step in waiting}
        free = [step for step in waiting if not any(e.target == step.id and e.source in ids for e in plan.edges)]
        placed += free
        waiting = [step for step in waiting if step not in free]
    return placed
