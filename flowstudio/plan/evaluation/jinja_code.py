"""Expressions and templates that need Jinja: parsed and checked at once, turned into code when first evaluated."""

from collections.abc import Callable
from typing import Any, TypeVar

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template as JinjaTemplate

from flowstudio.plan.evaluation.braces import blocks
from flowstudio.plan.evaluation.expression_errors import (
    EvaluationError,
    ExpressionError,
    ExpressionSyntaxError,
    MissingValueError,
)
from flowstudio.plan.evaluation.guard import Guard, check_shadowing
from flowstudio.plan.evaluation.meter import Meter, settle, too_big
from flowstudio.plan.evaluation.paths import Dialect, Path, Read, path_of, reader
from flowstudio.plan.evaluation.sandbox import METER, READERS, SCOPE, ExpressionParser, Sandbox
from flowstudio.plan.evaluation.scope import Scope
from flowstudio.plan.model import Json, StepId

MAX_SOURCE = 1_000_000
"""Characters of a text that needs Jinja."""
MAX_CODE = 20_000
"""Characters inside its braces: what is read in 0.1 s at worst."""

T = TypeVar("T")

_SANDBOX = Sandbox()
_RESULT = "result"


class Code:
    """A checked tree. Evaluating it from several threads is safe: at worst it is compiled twice."""

    def __init__(self, tree: nodes.Template, dialect: Dialect) -> None:
        guard = Guard(tree, dialect)
        check_shadowing(guard.shadowed)
        try:
            self._tree = guard.visit(tree)
        except RecursionError:
            raise ExpressionSyntaxError("The expression is nested too deeply.") from None
        self._readers: tuple[Read, ...] = tuple(reader(path) for path in guard.paths)
        self._outside = {
            name: reader(path_of(name, (), dialect)) for name in sorted(guard.shadowed & {"item", "index"})
        }
        self._template: JinjaTemplate | None = None
        self.paths: tuple[Path, ...] = tuple(guard.paths)

    @property
    def references(self) -> frozenset[StepId]:
        return frozenset().union(*(path.references for path in self.paths))

    def run(self, scope: Scope) -> tuple[str, Any, Meter]:
        """(the text it prints, the value of `result`, what is left to spend)."""
        template = self._template
        if template is None:
            template = self._template = self._compiled()
        meter = Meter()
        variables: dict[str, Any] = {SCOPE: scope, METER: meter, READERS: self._readers}
        for name, read in self._outside.items():
            try:
                variables[name] = read(scope)
            except MissingValueError:
                continue
        context = template.new_context(variables)
        parts = []
        for part in template.root_render_func(context):
            meter.spend(len(part))
            parts.append(part)
        return "".join(parts), context.vars.get(_RESULT), meter

    def _compiled(self) -> JinjaTemplate:
        self._tree.set_environment(_SANDBOX)
        return JinjaTemplate.from_code(_SANDBOX, _SANDBOX.compile(self._tree), {})


def parse_template(source: str) -> nodes.Template:
    """Raises ExpressionSyntaxError."""
    inside = sum(end - start for start, end in blocks(source))
    return _parsed(source, lambda: _SANDBOX.parse(source), inside)


def parse_expression(source: str) -> nodes.Expr:
    """A bare expression without braces. Raises ExpressionSyntaxError."""

    def parse() -> nodes.Expr:
        parser = ExpressionParser(_SANDBOX, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError("there is more after the end of the expression", parser.stream.current.lineno)
        return expression

    return _parsed(source, parse, len(source))


def _parsed(source: str, parse: Callable[[], T], code: int) -> T:
    if len(source) > MAX_SOURCE or code > MAX_CODE:
        raise ExpressionSyntaxError(
            f"A text with expressions may have {MAX_SOURCE:,} characters at most, {MAX_CODE:,} of them in braces.",
            fix="Use a code step for work of this size.",
        )
    try:
        return parse()
    except TemplateSyntaxError as error:
        raise ExpressionSyntaxError(
            f"{_shown(source)} cannot be read: {(error.message or 'a syntax error').rstrip('.')}.",
            facts={"line": error.lineno},
        ) from None
    except (RecursionError, MemoryError):
        raise ExpressionSyntaxError(f"{_shown(source)} is nested too deeply.") from None
    except (ValueError, OverflowError) as error:
        raise ExpressionSyntaxError(f"{_shown(source)} cannot be read: {error}.") from None


def expression_code(expression: nodes.Expr, dialect: Dialect) -> Code:
    target = nodes.Name(_RESULT, "store", lineno=1)
    return Code(nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1), dialect)


def evaluate(code: Code, scope: Scope, source: str, *, opens: bool = True) -> Json:
    """The value of an expression. Raises ExpressionError. opens: whether deferred parts of it are brought."""

    def work() -> Json:
        _, value, meter = code.run(scope)
        return settle(value, meter, opens=opens)

    return _guarded(work, source)


def render(code: Code, scope: Scope, source: str) -> str:
    """The text of a template. Raises ExpressionError."""
    return str(_guarded(lambda: code.run(scope)[0], source))


def _guarded(work: Callable[[], Json], source: str) -> Json:
    """Whatever values can do wrong becomes a sentence; the values themselves are not quoted, they may be secret."""
    try:
        return work()
    except ExpressionError:
        raise
    except (RecursionError, MemoryError):
        raise too_big() from None
    except ZeroDivisionError:
        raise EvaluationError(f"{_shown(source)} divides by zero.") from None
    except OverflowError:
        raise too_big() from None
    except TypeError as error:
        raise EvaluationError(f"{_shown(source)} does not fit its values: {_plain(error)}.") from error
    except (ValueError, LookupError, ArithmeticError, AttributeError, TemplateError) as error:
        raise EvaluationError(f"{_shown(source)} could not be evaluated ({type(error).__name__}).") from error


def _plain(error: TypeError) -> str:
    """Python's sentence names types, not values; our function names mean nothing to a person."""
    sentence = str(error).split("\n")[0][:160].rstrip(".")
    return sentence.partition("() ")[2] or sentence


def _shown(source: str) -> str:
    text = " ".join(source.split())
    return f"“{text[:80]}…”" if len(text) > 80 else f"“{text}”"
