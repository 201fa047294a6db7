"""Jinja's sandbox, made tighter: what an expression may contain, and what each part of it really does.

The syntax tree is checked against a list of allowed nodes and rewritten before it is compiled: paths are read by
`paths`, calls become one of our methods, comparisons, `~`, slices and loops are metered. No Python attribute is ever
looked up, so there is nothing to escape through; keys are all there is.
"""

from collections.abc import Iterator
from typing import Any

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing as no_value

from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.evaluation.expression_errors import EvaluationError, ExpressionError, MissingValueError
from flowstudio.plan.evaluation.filters import FILTERS, TESTS, call_method, use
from flowstudio.plan.evaluation.list_filters import entries_of
from flowstudio.plan.evaluation.meter import CALL, ENTRY, ROUND, Meter, size, text
from flowstudio.plan.evaluation.operators import BINARY, binary, compare
from flowstudio.plan.evaluation.paths import Read, child, missing

SCOPE, METER, READERS = "\0scope", "\0meter", "\0readers"
"""Keys of the context: no name in an expression can hold a NUL. READERS: what `read` filters refer to by number."""

READ, METHOD, COMPARE, CONCAT, SLICE, EACH, RANGE = (
    "\0read",
    "\0method",
    "\0compare",
    "\0concat",
    "\0slice",
    "\0each",
    "\0range",
)
_LOOP_FACTS = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "depth", "depth0"}
)


class Missing(StrictUndefined):
    """Stands for a value that is not there: `default` and `is defined` may look at it, all else raises."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: Any = no_value, name: str | None = None, exc: Any = None) -> None:
        super().__init__(hint, obj, name)
        self._undefined_exception = _as_missing  # type: ignore[assignment]  # Jinja only ever calls it


def _as_missing(message: str) -> ExpressionError:
    return MissingValueError(message if message.endswith(".") else f"{message}.")


def absent(error: ExpressionError) -> Missing:
    """A Missing that raises exactly this error when it is used."""
    value = Missing(error.sentence)
    value._undefined_exception = lambda message: error  # type: ignore[assignment]
    return value


class ExpressionParser(Parser):
    """Jinja's parser, but powers group from the right as in Python and on paper: 2**3**2 is 2**9."""

    def parse_pow(self) -> nodes.Expr:
        line = self.stream.current.lineno
        base = self.parse_unary()
        if self.stream.current.type != "pow":
            return base
        next(self.stream)
        return nodes.Pow(base, self.parse_pow(), lineno=line)


class Sandbox(SandboxedEnvironment):
    """The one environment all expressions are compiled in. Immutable after construction, so safe between threads."""

    intercepted_binops = BINARY

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            autoescape=False,
            optimized=False,
            keep_trailing_newline=True,
            cache_size=0,
            finalize=_finalized,
        )
        self.globals.clear()
        self.filters = {name: _entry(FILTERS, name) for name in FILTERS} | _PRIVATE
        self.tests = {name: _entry(TESTS, name) for name in TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return ExpressionParser(self, source, name, filename).parse()

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return binary(operator, left, right, _meter(context))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return getattr(obj, attribute) if attribute in _LOOP_FACTS else absent(_no_loop_fact(attribute))
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        try:
            return child(obj, argument)
        except (LookupError, TypeError):
            key = argument if isinstance(argument, str | int) else str(argument)
            return absent(missing(str(key), key, "the value", opened(obj)))

    def call(self, *arguments: Any, **named: Any) -> Any:
        """Never used by what the guard lets through."""
        raise EvaluationError("Only the methods of texts, lists and objects can be called.")


def _no_loop_fact(name: str) -> MissingValueError:
    return MissingValueError(f"loop.{name} does not exist: loop has {', '.join(sorted(_LOOP_FACTS))}.")


def _meter(context: Context) -> Meter:
    meter: Meter = context.parent[METER]
    return meter


def _entry(table: Any, name: str) -> Any:
    @pass_context
    def call(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        return use(_meter(context), table, name, value, *arguments, **named)

    return call


@pass_context
def _finalized(context: Context, value: Any) -> str:
    return text(value, _meter(context))


@pass_context
def _read(context: Context, number: int) -> Any:
    read: Read = context.parent[READERS][number]
    try:
        return read(context.parent[SCOPE])
    except MissingValueError as error:
        return absent(error)


@pass_context
def _call(context: Context, value: Any, name: str, *arguments: Any, **named: Any) -> Any:
    return call_method(_meter(context), value, name, *arguments, **named)


@pass_context
def _compare(context: Context, value: Any, *operands: Any) -> bool:
    """operands: symbol, value, symbol, value ... as in `a < b < c`."""
    left = value
    for symbol, right in zip(operands[::2], operands[1::2], strict=True):
        if not compare(symbol, left, right, _meter(context)):
            return False
        left = right
    return True


@pass_context
def _concat(context: Context, *parts: Any) -> str:
    meter = _meter(context)
    meter.spend(CALL)
    return "".join([text(part, meter) for part in parts])


@pass_context
def _slice(context: Context, value: Any, start: Any, stop: Any, step: Any) -> Any:
    if isinstance(value, Undefined):
        return value
    value = opened(value)
    if not isinstance(value, str | list | tuple):
        raise EvaluationError("Only a text or a list can be cut into parts.")
    part = value[start:stop:step]
    _meter(context).spend(CALL + size(part))
    return part


@pass_context
def _each(context: Context, value: Any) -> Iterator[Any]:
    meter = _meter(context)
    return _rounds(entries_of(value, meter), meter)


def _rounds(entries: list[Any], meter: Meter) -> Iterator[Any]:
    for entry in entries:
        meter.spend(ROUND)
        yield opened(entry)


@pass_context
def _range(context: Context, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    count = max((numbers.stop - numbers.start) // numbers.step + 1, 0)
    _meter(context).spend(CALL + 2 * ENTRY * count)
    return list(numbers)


_PRIVATE: dict[str, Any] = {
    READ: _read,
    METHOD: _call,
    COMPARE: _compare,
    CONCAT: _concat,
    SLICE: _slice,
    EACH: _each,
    RANGE: _range,
}


def private(
    name: str, value: nodes.Expr, *arguments: nodes.Expr, named: list[nodes.Keyword] | None = None
) -> nodes.Filter:
    """A call of one of the functions above, as a node."""
    return nodes.Filter(value, name, list(arguments), named or [], None, None, lineno=value.lineno)
