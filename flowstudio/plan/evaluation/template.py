"""Template: a JSON value whose texts may hold expressions, compiled."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from jinja2 import nodes

from flowstudio.plan.evaluation.deferred import resolved
from flowstudio.plan.evaluation.jinja_code import Code, evaluate, expression_code, parse_template, render
from flowstudio.plan.evaluation.meter import Meter, text
from flowstudio.plan.evaluation.paths import Dialect, Read, path_of, reader, split_path
from flowstudio.plan.evaluation.scope import Scope
from flowstudio.plan.model import Json, StepId

Render: TypeAlias = Callable[[Scope], Json]

NO_REFERENCES: frozenset[StepId] = frozenset()

_BRACES = re.compile(r"\{\{([^{}]*)\}\}")
_OLD_WHOLE = re.compile(r"\$\{\s*(steps\.\d+(?:\.\w+|\[\d+\])*)\s*\}")
_COUNTS_STEPS = re.compile(r"step_\d|steps\s*[.\[]\s*\d")
_JINJA = re.compile(r"\{%|\{#")
_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Template:
    """render(scope) gives the value; a constant gives back the very value it was compiled from, uncopied.

    references: ids of the steps it reads, as far as they are written out. render raises ExpressionError.
    carry: like render, but it leaves deferred parts as they are; None where there can be none.
    """

    render: Render
    is_constant: bool
    references: frozenset[StepId] = NO_REFERENCES
    carry: Render | None = None

    def carrying(self) -> "Template":
        """For who passes values on without looking in: render leaves deferred parts as they are."""
        return replace(self, render=self.passing)

    @property
    def passing(self) -> Render:
        return self.carry or self.render


def constant(value: Json) -> Template:
    return Template(lambda scope: value, True)


def compile_json(value: Json, dialect: Dialect) -> Template:
    """The template of any JSON value; parts without expressions are shared with it, not copied."""
    if isinstance(value, str):
        return compile_text(value, dialect)
    if isinstance(value, list):
        return _compile_list(value, dialect)
    if isinstance(value, dict):
        return _compile_object(value, dialect)
    return constant(value)


def _compile_list(value: list[Json], dialect: Dialect) -> Template:
    entries = [compile_json(entry, dialect) for entry in value]
    if all(entry.is_constant for entry in entries):
        return constant(value)
    renders = [entry.render for entry in entries]
    carries = [entry.passing for entry in entries]
    references = NO_REFERENCES.union(*(entry.references for entry in entries))
    return Template(
        lambda scope: [each(scope) for each in renders],
        False,
        references,
        lambda scope: [each(scope) for each in carries],
    )


def _compile_object(value: dict[str, Json], dialect: Dialect) -> Template:
    members = [(compile_text(key, dialect), compile_json(each, dialect)) for key, each in value.items()]
    if all(key.is_constant and each.is_constant for key, each in members):
        return constant(value)
    references = NO_REFERENCES.union(*(key.references | each.references for key, each in members))
    if all(key.is_constant for key, _ in members):
        named = [(key, each.render) for key, (_, each) in zip(value, members, strict=True)]
        carried = [(key, each.passing) for key, (_, each) in zip(value, members, strict=True)]
        return Template(
            lambda scope: {key: each(scope) for key, each in named},
            False,
            references,
            lambda scope: {key: each(scope) for key, each in carried},
        )
    rendered = _object_of([(key.render, each.render) for key, each in members])
    return Template(rendered, False, references, _object_of([(key.render, each.passing) for key, each in members]))


def _object_of(members: list[tuple[Render, Render]]) -> Render:
    def object_of(scope: Scope) -> Json:
        meter = Meter()
        return {text(key(scope), meter): each(scope) for key, each in members}

    return object_of


def compile_text(source: str, dialect: Dialect) -> Template:
    if "{{" not in source and "{%" not in source and "${" not in source:
        return constant(source)
    if "${" in source:
        source = _OLD_WHOLE.sub(r"{{ \1 }}", source)
        if "{{" not in source and "{%" not in source:
            return constant(source)
    if _COUNTS_STEPS.search(source):
        return _compile_text(source, dialect)
    return _compile_shared(source)


@lru_cache(maxsize=8192)
def _compile_shared(source: str) -> Template:
    """Texts that mean the same in every plan are compiled once for all."""
    return _compile_text(source, Dialect())


def _compile_text(source: str, dialect: Dialect) -> Template:
    return _compile_paths(source, dialect) or _compile_jinja(source, dialect)


def _compile_paths(source: str, dialect: Dialect) -> Template | None:
    """A text whose expressions are all plain paths, None for any other."""
    if _JINJA.search(source):
        return None
    pieces: list[str | Read] = []
    references: set[StepId] = set()
    end = 0
    for found in _BRACES.finditer(source):
        split = split_path(found[1])
        if split is None:
            return None
        path = path_of(*split, dialect)
        references |= path.references
        pieces += [source[end : found.start()], reader(path)]
        end = found.end()
    pieces.append(source[end:])
    if any(isinstance(piece, str) and ("{{" in piece or "}}" in piece) for piece in pieces):
        return None
    if len(pieces) == 3 and _is_blank(pieces[0]) and _is_blank(pieces[2]) and callable(pieces[1]):
        return Template(_whole(pieces[1]), False, frozenset(references), pieces[1])
    return Template(_joined([piece for piece in pieces if piece != ""]), False, frozenset(references))


def _whole(read: Read) -> Render:
    """What the path leads to with nothing deferred in it. Costs nothing while the run holds nothing deferred."""

    def render_value(scope: Scope) -> Json:
        value = read(scope)
        if value.__class__ in _PLAIN or not scope.holding.is_any:
            return value
        return resolved(value)

    return render_value


def _is_blank(piece: str | Read) -> bool:
    return isinstance(piece, str) and not piece.strip()


def _joined(pieces: list[str | Read]) -> Callable[[Scope], Json]:
    def render_text(scope: Scope) -> Json:
        meter = Meter()
        return "".join([piece if isinstance(piece, str) else text(piece(scope), meter) for piece in pieces])

    return render_text


def _compile_jinja(source: str, dialect: Dialect) -> Template:
    tree = parse_template(source)
    whole = _whole_expression(tree)
    if whole is not None:
        code = expression_code(whole, dialect)
        return Template(
            lambda scope: evaluate(code, scope, source),
            False,
            code.references,
            lambda scope: evaluate(code, scope, source, opens=False),
        )
    code = Code(tree, dialect)
    return Template(lambda scope: render(code, scope, source), False, code.references)


def _whole_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The one expression a text consists of, white space around it aside."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = [
        part for part in tree.body[0].nodes if not (isinstance(part, nodes.TemplateData) and not part.data.strip())
    ]
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData) else None
