"""Random plans and random edits for property tests."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import strategies as st

from flowstudio.plan.edits import (
    AddEdge,
    AddFrame,
    AddNote,
    AddStep,
    AddTrigger,
    Batch,
    Edit,
    InsertOnEdge,
    MoveSteps,
    PasteSteps,
    RemoveEdge,
    RemoveNote,
    RemoveSteps,
    RenameStep,
    SetNote,
    SetParam,
    SetParent,
    SetPin,
    SetPlanField,
    SetPlanSetting,
    SetStepField,
    SetVariable,
    UnsetParam,
    UnsetPin,
    UnsetVariable,
    fragment_of,
)
from flowstudio.plan.model import (
    Backoff,
    Edge,
    Frame,
    Note,
    OnError,
    Plan,
    PlanSettings,
    Retry,
    Step,
    Trigger,
    TriggerKind,
    WhenBusy,
    ports_of,
)

KEYWORDS = [("flow", "condition"), ("flow", "loop"), ("flow", "switch"), ("flow", "stop"), ("slack", "post_message")]

text = st.text(max_size=12)
number = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: value + 0.0)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(text, json_values, max_size=3)
ids = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
unknown = st.dictionaries(st.sampled_from(["x-team", "colour", "future"]), json_values, max_size=2)
retries = st.builds(Retry, st.integers(1, 9), number.map(abs), st.sampled_from(Backoff), number.map(abs), st.booleans())
expressions = st.sampled_from(
    ["{{ steps.a.output }}", "{{ steps['a'].output.x }} and {% if loops.b %}{% endif %}", "steps.a"]
)
params = st.dictionaries(st.sampled_from(["text", "url", "cases"]), json_values | expressions, max_size=3)


@st.composite
def steps(draw: st.DrawFn, step_id: str | None = None, parent: str | None = None) -> Step:
    provider, action = draw(st.sampled_from(KEYWORDS))
    return Step(
        id=draw(ids) if step_id is None else step_id,
        provider=provider,
        action=action,
        title=draw(text),
        params=draw(params),
        x=draw(number),
        y=draw(number),
        parent=parent,
        on_error=draw(st.sampled_from(OnError)),
        retry=draw(retries | st.just(Retry())),
        timeout_s=draw(st.none() | number.map(lambda value: abs(value) + 1)),
        credential=draw(st.none() | text),
        disabled=draw(st.booleans()),
        notes=draw(text),
        extra=draw(unknown),
    )


settings = st.builds(
    PlanSettings,
    runs_at_once=st.integers(1, 9),
    when_busy=st.sampled_from(WhenBusy),
    keep_days=st.none() | st.floats(0.5, 9),
    extra=unknown,
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan a document can hold, legal or not."""
    names = draw(st.lists(ids, max_size=5, unique=True))
    made: list[Step] = []
    for name in names:
        loops = [step.id for step in made if step.action == "loop"]
        made.append(draw(steps(step_id=name, parent=draw(st.sampled_from([None, *loops])))))
    edges = st.builds(Edge, ids, text, ids, unknown)
    drawn = draw(st.lists(edges, max_size=2))
    joined = [Edge(a, "out", b) for a, b in pairwise(names)]
    return Plan(
        id=draw(text),
        name=draw(text),
        description=draw(text),
        steps=tuple(made),
        edges=tuple({edge.key: edge for edge in [*joined, *drawn]}.values()),
        triggers=tuple(draw(st.lists(triggers, max_size=2, unique_by=lambda each: each.id))),
        variables=draw(json_objects),
        notes=tuple(draw(st.lists(notes, max_size=2, unique_by=lambda each: each.id))),
        frames=tuple(draw(st.lists(frames, max_size=2, unique_by=lambda each: each.id))),
        ordinals=tuple(draw(st.lists(ids, max_size=2))),
        pins=draw(st.dictionaries(st.sampled_from(names), json_values)) if names else {},
        settings=draw(settings),
        extra=draw(unknown),
    )


triggers = st.builds(Trigger, text, st.sampled_from(TriggerKind), json_objects, st.booleans(), unknown)
notes = st.builds(Note, text, text, number, number, number, number, unknown)
frames = st.builds(Frame, text, text, number, number, number, number, unknown)


def edits_of(plan: Plan) -> st.SearchStrategy[Edit]:
    """An edit that might be applied to this plan; some are refused."""
    known = [step.id for step in plan.steps] or ["nobody"]
    some = st.sampled_from(known)
    many = st.lists(some, min_size=1, max_size=3, unique=True).map(tuple)
    choices: list[st.SearchStrategy[Edit]] = [
        st.builds(AddStep, steps(), st.none() | st.just(0)),
        st.builds(RemoveSteps, many),
        st.builds(MoveSteps, st.dictionaries(some, st.tuples(number, number), max_size=3)),
        st.builds(SetParam, some, st.sampled_from(["text", "cases"]), json_values | cases),
        st.builds(UnsetParam, some, st.sampled_from(["text", "cases"])),
        st.builds(SetStepField, some, st.just("title"), text),
        st.builds(SetStepField, some, st.just("on_error"), st.sampled_from(OnError)),
        st.builds(SetStepField, some, st.just("retry"), retries),
        st.builds(SetStepField, some, st.just("timeout_s"), st.none() | st.just(2.5)),
        st.builds(SetStepField, some, st.just("parent"), st.none() | some),
        st.builds(SetParent, many, st.none() | some),
        st.builds(RenameStep, some, ids),
        st.builds(PasteSteps, many.map(lambda chosen: fragment_of(plan, chosen)), number, number),
        st.builds(SetPin, some, json_values | st.just({"result": True, "case": "default"})),
        st.builds(SetPlanField, st.sampled_from(["name", "description"]), text),
        plan_settings,
        st.builds(SetVariable, text, json_values),
        st.builds(AddTrigger, triggers),
        st.builds(AddNote, notes),
        st.builds(AddFrame, frames, st.none() | st.just(0)),
        st.builds(AddEdge, _edges_between(plan, known)),
    ]
    if plan.edges:
        edge = st.sampled_from(plan.edges)
        choices += [st.builds(RemoveEdge, edge), st.builds(InsertOnEdge, edge, steps())]
    if plan.notes:
        note = st.sampled_from(plan.notes)
        choices += [st.builds(RemoveNote, note.map(lambda each: each.id)), st.builds(SetNote, note)]
    if plan.pins:
        choices.append(st.builds(UnsetPin, st.sampled_from(sorted(plan.pins))))
    if plan.variables:
        choices.append(st.builds(UnsetVariable, st.sampled_from(sorted(plan.variables))))
    single = st.one_of(choices)
    return single | st.builds(Batch, st.lists(single, max_size=2).map(tuple), text)


plan_settings: st.SearchStrategy[Edit] = st.one_of(
    st.builds(SetPlanSetting, st.just("runs_at_once"), st.none() | st.integers(-1, 9)),
    st.builds(SetPlanSetting, st.just("when_busy"), st.sampled_from([None, *WhenBusy, "never"])),
    st.builds(SetPlanSetting, st.just("keep_days"), st.none() | st.floats(0.5, 9) | st.booleans()),
    st.builds(SetPlanSetting, st.just("error_plan"), st.none() | text),
)
cases = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["red", "green", ""])}), max_size=3)


def _edges_between(plan: Plan, known: list[str]) -> st.SearchStrategy[Edge]:
    ports = {step.id: [port.name for port in ports_of(step)] or ["out"] for step in plan.steps}
    pick: Callable[[str], st.SearchStrategy[Edge]] = lambda source: st.builds(  # noqa: E731
        Edge, st.just(source), st.sampled_from(ports.get(source, ["out"])), st.sampled_from(known)
    )
    return st.sampled_from(known).flatmap(pick)
