"""Checks an expression's syntax tree against what plans allow, and rewrites it to metered parts."""

from collections.abc import Sequence
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.evaluation import sandbox
from flowstudio.plan.evaluation.expression_errors import ExpressionSyntaxError, NotAllowedError, UnknownNameError
from flowstudio.plan.evaluation.filters import FILTERS, METHODS, TESTS, known
from flowstudio.plan.evaluation.paths import ROOTS, Dialect, Key, Path, path_of

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.With,
    nodes.Name,
    nodes.Const,
    nodes.Tuple,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Call,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Concat,
    nodes.Compare,
    nodes.Operand,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Add,
    nodes.Sub,
    nodes.Mod,
    nodes.Pow,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.And,
    nodes.Or,
)
MAX_NESTED_LOOPS = 10
"""Python, which templates are turned into, allows twenty."""

_ALL_METHODS = {name: function for methods in METHODS.values() for name, function in methods.items()}


class Guard(NodeTransformer):
    """One tree's check. paths: what it reads, in the order of the numbers in the rewritten tree.

    shadowed: names the template sets itself (`{% for item in … %}`); they are left to Jinja.
    """

    def __init__(self, tree: nodes.Node, dialect: Dialect) -> None:
        self.paths: list[Path] = []
        self.shadowed = _names_set_in(tree)
        self._dialect = dialect
        self._loops = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(node, _ALLOWED):
            raise NotAllowedError(f"“{type(node).__name__.lower()}” is not available in expressions.")
        return super().visit(node, *args, **kwargs)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.ctx != "load" or node.name in self.shadowed or (node.name == "loop" and self._loops):
            return node
        return self._read(node.name, (), node.lineno)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        return self._path(node) or self.generic_visit(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        if isinstance(node.arg, nodes.Slice):
            bounds = [self._bound(each, node.lineno) for each in (node.arg.start, node.arg.stop, node.arg.step)]
            return sandbox.private(sandbox.SLICE, self.visit(node.node), *bounds)
        return self._path(node) or self.generic_visit(node)

    def _bound(self, bound: nodes.Expr | None, line: int) -> Any:
        return nodes.Const(None, lineno=line) if bound is None else self.visit(bound)

    def _path(self, node: nodes.Expr) -> nodes.Node | None:
        keys: list[Key] = []
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            if isinstance(node, nodes.Getattr):
                keys.append(node.attr)
            elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
                keys.append(node.arg.value)
            else:
                return None
            node = node.node
        if not isinstance(node, nodes.Name) or node.name in self.shadowed or (node.name == "loop" and self._loops):
            return None
        return self._read(node.name, tuple(reversed(keys)), node.lineno)

    def _read(self, root: str, keys: Sequence[Key], line: int) -> nodes.Node:
        self.paths.append(path_of(root, tuple(keys), self._dialect))
        return sandbox.private(sandbox.READ, nodes.Const(len(self.paths) - 1, lineno=line))

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise NotAllowedError("* and ** are not available in calls.")
        arguments = [self.visit(each) for each in node.args]
        named = [self.visit(each) for each in node.kwargs]
        if (
            isinstance(node.node, nodes.Name)
            and node.node.name == "range"
            and len(arguments) in (1, 2, 3)
            and not named
        ):
            return sandbox.private(sandbox.RANGE, *arguments)
        if isinstance(node.node, nodes.Getattr):
            name = node.node.attr
            known(_ALL_METHODS, name, "method")
            value = self.visit(node.node.node)
            return sandbox.private(
                sandbox.METHOD, value, nodes.Const(name, lineno=node.lineno), *arguments, named=named
            )
        name = node.node.name if isinstance(node.node, nodes.Name) else "this"
        fix = f"Write it as a filter: {{{{ value | {name} }}}}." if name in FILTERS else closest(name, ["range"])
        raise UnknownNameError(f"{name} cannot be called here.", fix=fix)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        known(FILTERS, node.name, "filter")
        return self._checked_arguments(node)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        known(TESTS, node.name, "test")
        return self._checked_arguments(node)

    def _checked_arguments(self, node: nodes.Filter | nodes.Test) -> nodes.Node:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise NotAllowedError("* and ** are not available in calls.")
        if node.node is None:
            raise NotAllowedError("A filter needs a value before it.")
        return self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        operands: list[nodes.Expr] = []
        for operand in node.ops:
            operands += [nodes.Const(operand.op, lineno=node.lineno), self.visit(operand.expr)]
        return sandbox.private(sandbox.COMPARE, self.visit(node.expr), *operands)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        return sandbox.private(sandbox.CONCAT, *[self.visit(each) for each in node.nodes])

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        """Without an else it gives null, not an error."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        if node.expr2 is None:
            node.expr2 = nodes.Const(None, lineno=node.lineno)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            raise NotAllowedError("Recursive loops are not available in expressions.")
        if self._loops == MAX_NESTED_LOOPS:
            raise NotAllowedError(f"More than {MAX_NESTED_LOOPS} loops inside each other are not available.")
        node.iter = sandbox.private(sandbox.EACH, self.visit(node.iter))
        self._loops += 1
        if node.test is not None:
            node.test = self.visit(node.test)
        node.body = [self.visit(each) for each in node.body]
        self._loops -= 1
        node.else_ = [self.visit(each) for each in node.else_]
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        if node.filter is not None:
            raise NotAllowedError("Filters on {% set %} blocks are not available; filter the value where it is used.")
        return self.generic_visit(node)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        if isinstance(node.value, int) and node.value.bit_length() > 8192:
            raise ExpressionSyntaxError("A number in the expression is too long.")
        return node


def _names_set_in(tree: nodes.Node) -> set[str]:
    names: set[str] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Name) and node.ctx != "load":
            names.add(node.name)
        waiting.extend(node.iter_child_nodes())
    return names


def check_shadowing(shadowed: set[str]) -> None:
    """`steps` and its like cannot be set: half of a template would mean something else than it says."""
    taken = shadowed & set(ROOTS) - {"item", "index"}
    if taken:
        raise NotAllowedError(f"“{min(taken)}” cannot be set in a template; choose another name.")
