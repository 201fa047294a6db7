"""Plan + action table -> Program: edges resolved to indexes, templates compiled, once for each content.

A Program is immutable and shared by all runs of the same content. It is made of blocks: the plan's top level and the
body of each loop; inside a block steps are known by index.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from flowstudio.engine.errors import NotRunnableError
from flowstudio.plan.document import content_hash
from flowstudio.plan.expression import Condition, ExpressionError, Scope, Template, compile_condition, compile_value
from flowstudio.plan.model import AWAITED_CALL, Edge, Json, Plan, Step, StepId, StepKind, ports_of
from flowstudio.plan.rules import ActionTable

ActionsOf: TypeAlias = Callable[[str], ActionTable]
"""User id -> what that user's steps can call; the same object until that changes."""
K = TypeVar("K")
V = TypeVar("V")

NOWHERE = Scope()
"""Constants need no scope."""
BODY = "body"
TRIGGER_OFFSET = "legacy_trigger_offset"
"""Key in Plan.extra of plans whose `step_N` references count the trigger as step 1."""


PURE, READ, WRITE = "pure", "read", "write"
"""Effects. Pure: the result depends on the params alone; read: it depends on the world, too, but changes nothing."""

CARRIED = frozenset(
    {
        (StepKind.LOOP, "items"),
        (StepKind.WHILE, "start"),
        (StepKind.SUBPLAN, "inputs"),
        (StepKind.RESPOND, "body"),
    }
)
"""Params that are passed on without a look inside, so that their large parts can stay in files."""


@dataclass(frozen=True, slots=True)
class Inlet:
    """An edge coming in: from that step of the same block, by that port."""

    source: StepId
    port: str


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A step made ready to run. index: its place in its block.

    constants and templates together are its params; targets: port -> indexes of the steps its edges lead to.
    takes_first: a merge that starts at its first live edge. passes: the ports by which it leaves when it is disabled
    or goes on after a failure. effect: pure, read, write or costs; unknown actions count as write. may_repeat: after
    a crash it is simply done again: it changes nothing, or the vendor does what bears the same key only once.
    """

    index: int
    step: Step
    kind: StepKind
    constants: Mapping[str, Json]
    templates: tuple[tuple[str, Template], ...]
    condition: Condition | None
    targets: Mapping[str, tuple[int, ...]]
    inlets: tuple[Inlet, ...]
    takes_first: bool
    passes: tuple[str, ...]
    effect: str
    may_repeat: bool
    body: "Block | None" = None

    @property
    def is_repeatable(self) -> bool:
        """Nothing of it leaves the process, so after a crash it may be worked out again from what is on disk."""
        return self.effect == PURE and self.kind not in (StepKind.WAIT, StepKind.SUBPLAN)

    @property
    def calls_out(self) -> bool:
        """It may call a provider that limits how often."""
        return self.effect != PURE and self.kind is StepKind.ACTION


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Steps that run together. entries: nothing leads to them; terminals: they lead to nothing."""

    owner: StepId | None
    nodes: tuple[Node, ...]
    entries: tuple[int, ...]
    inlet_counts: tuple[int, ...]
    terminals: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """awaits_calls: a step waits for a call from outside. responds: a step answers the caller before the run's end."""

    plan: Plan
    top: Block
    nodes: Mapping[StepId, Node]
    awaits_calls: bool
    responds: bool


def compile_plan(plan: Plan, actions: ActionTable) -> Program:
    """The plan's program. Raises NotRunnableError, or ExpressionError located at its step and field."""
    return _Compilation(plan, actions).program()


class Compiler:
    """Programs by plan: the same object first, then the same content; the least recently used are forgotten.

    A program holds what its user's table says of each action, so each table has its own. Keys are the addresses of
    plans and tables: the entries hold both, so no other object can be given them meanwhile.
    """

    def __init__(self, actions: ActionsOf, capacity: int) -> None:
        self._actions = actions
        self._capacity = capacity
        self._lock = threading.Lock()
        self._by_object: OrderedDict[tuple[int, int], tuple[Plan, ActionTable, Program]] = OrderedDict()
        self._by_content: OrderedDict[tuple[str, int], tuple[ActionTable, Program]] = OrderedDict()

    def compile(self, plan: Plan, user_id: str) -> Program:
        """Compiled at most once while it is remembered. Thread-safe; raises like compile_plan."""
        actions = self._actions(user_id)
        key = (id(plan), id(actions))
        with self._lock:
            known = self._by_object.get(key)
            if known is not None:
                self._by_object.move_to_end(key)
                return known[2]
        content = (content_hash(plan), id(actions))
        with self._lock:
            same = self._by_content.get(content)
        program = same[1] if same is not None else compile_plan(plan, actions)
        with self._lock:
            _remember(self._by_content, content, (actions, program), self._capacity)
            _remember(self._by_object, key, (plan, actions, program), self._capacity)
        return program


def _remember(cache: OrderedDict[K, V], key: K, value: V, capacity: int) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > capacity:
        cache.popitem(last=False)


class _Compilation:
    """The working state of compiling one plan."""

    def __init__(self, plan: Plan, actions: ActionTable) -> None:
        self.plan = plan
        self.actions = actions
        self.steps: dict[StepId, Step] = {}
        self.members: dict[StepId | None, list[Step]] = defaultdict(list)
        self.incoming: dict[StepId, list[Edge]] = defaultdict(list)
        self.outgoing: dict[StepId, list[Edge]] = defaultdict(list)
        self.nodes: dict[StepId, Node] = {}
        self._ordinals = plan.ordinals or tuple(step.id for step in plan.steps)
        self._has_offset = plan.extra.get(TRIGGER_OFFSET) is True

    def program(self) -> Program:
        self._index_steps()
        self._index_edges()
        blocks: dict[StepId | None, Block] = {}
        for owner in self._innermost_first():
            blocks[owner] = self._block(owner, blocks)
        actions = {(step.provider, step.action) for step in self.plan.steps}
        responds = any(step.kind is StepKind.RESPOND for step in self.plan.steps)
        return Program(self.plan, blocks[None], self.nodes, AWAITED_CALL in actions, responds)

    def _index_steps(self) -> None:
        for step in self.plan.steps:
            if step.id in self.steps:
                raise self._refusal(f"two of its steps have the id “{step.id}”")
            self.steps[step.id] = step
            self.members[step.parent].append(step)
        for step in self.plan.steps:
            parent = self.steps.get(step.parent) if step.parent is not None else None
            if step.parent is not None and (parent is None or not parent.kind.holds_steps):
                raise self._refusal(f"“{step.label}” lies in the body of “{step.parent}”, which is not a loop")
            if step.parent is None and step.kind.ends_item:
                raise self._refusal(f"“{step.label}” ends the item of a loop, but is not inside of one")

    def _index_edges(self) -> None:
        for edge in self.plan.edges:
            source, target = self.steps.get(edge.source), self.steps.get(edge.target)
            if source is None or target is None:
                missing = edge.source if source is None else edge.target
                raise self._refusal(f"a connection leads to a step that does not exist (“{missing}”)")
            if target.parent == source.id and edge.port == BODY:
                continue  # enters the body, whose first steps start with each item anyway
            if source.parent != target.parent:
                raise self._refusal(f"the connection from “{source.label}” to “{target.label}” crosses a loop's border")
            self.incoming[target.id].append(edge)
            self.outgoing[source.id].append(edge)

    def _innermost_first(self) -> list[StepId | None]:
        """Owners of blocks, every loop before what contains it. Raises when loops contain each other."""
        order: list[StepId | None] = [None]
        for owner in order:
            order.extend(step.id for step in self.members.get(owner, ()) if step.kind.holds_steps)
        loops = sum(step.kind.holds_steps for step in self.plan.steps)
        if len(order) != loops + 1:
            raise self._refusal("some of its loops contain each other")
        return order[::-1]

    def _block(self, owner: StepId | None, blocks: Mapping[StepId | None, Block]) -> Block:
        members = self.members.get(owner, [])
        index_of = {step.id: index for index, step in enumerate(members)}
        self._check_acyclic(members)
        nodes = tuple(self._node(index, step, index_of, blocks.get(step.id)) for index, step in enumerate(members))
        self.nodes.update((node.step.id, node) for node in nodes)
        return Block(
            owner=owner,
            nodes=nodes,
            entries=tuple(node.index for node in nodes if not node.inlets),
            inlet_counts=tuple(len(node.inlets) for node in nodes),
            terminals=tuple(node.index for node in nodes if not node.targets),
        )

    def _node(self, index: int, step: Step, index_of: Mapping[StepId, int], body: Block | None) -> Node:
        targets: dict[str, list[int]] = {}
        for edge in self.outgoing.get(step.id, ()):
            targets.setdefault(edge.port, []).append(index_of[edge.target])
        constants, templates, condition = self._params(step)
        effect, may_repeat = self._effect(step)
        return Node(
            index=index,
            step=step,
            kind=step.kind,
            constants=constants,
            templates=templates,
            condition=condition,
            targets={port: tuple(indexes) for port, indexes in targets.items()},
            inlets=tuple(Inlet(edge.source, edge.port) for edge in self.incoming.get(step.id, ())),
            takes_first=step.kind is StepKind.MERGE and step.params.get("mode") == "any",
            passes=_passes(step),
            effect=effect,
            may_repeat=may_repeat,
            body=body,
        )

    def _params(self, step: Step) -> tuple[dict[str, Json], tuple[tuple[str, Template], ...], Condition | None]:
        constants: dict[str, Json] = {}
        templates: list[tuple[str, Template]] = []
        condition: Condition | None = None
        for name, value in step.params.items():
            try:
                if step.kind.asks_condition and name == "condition":
                    condition = compile_condition(value, self._ordinals, self._has_offset)
                    continue
                template = compile_value(value, self._ordinals, self._has_offset)
                if (step.kind, name) in CARRIED:
                    template = template.carrying()
            except ExpressionError as error:
                raise error.located(step.label, name) from error
            if template.is_constant:
                constants[name] = template.render(NOWHERE)
            else:
                templates.append((name, template))
        return constants, tuple(templates), condition

    def _check_acyclic(self, members: Sequence[Step]) -> None:
        """Takes away steps nothing leads to until none is left (Kahn, CACM 5(11), 1962); what stays is in a cycle."""
        waiting = {step.id: len(self.incoming.get(step.id, ())) for step in members}
        free = [step_id for step_id, count in waiting.items() if count == 0]
        for step_id in free:
            for edge in self.outgoing.get(step_id, ()):
                waiting[edge.target] -= 1
                if waiting[edge.target] == 0:
                    free.append(edge.target)
        if len(free) != len(waiting):
            stuck = next(self.steps[step_id] for step_id, count in waiting.items() if count)
            raise self._refusal(f"its connections run in a circle near “{stuck.label}”")

    def _effect(self, step: Step) -> tuple[str, bool]:
        """What the step does to the world, and whether it may be done again after a crash."""
        info = self.actions.find(step.provider, step.action)
        effect = str(info.effect_with(step.params)) if info is not None else WRITE
        if step.kind is not StepKind.ACTION or effect in (PURE, READ):
            return effect, True
        return effect, info is not None and info.idempotency_header_with(step.params) != ""

    def _refusal(self, reason: str) -> NotRunnableError:
        sentence = f"The plan “{self.plan.name}” cannot run: {reason}."
        return NotRunnableError(sentence, fix="Correct the plan and run it again.")


def _passes(step: Step) -> tuple[str, ...]:
    names = [port.name for port in ports_of(step) if not port.container and port.name != "error"]
    return tuple(names[:1])
