"""What runs inside the process of a python_code step. Imports the standard library alone: it starts without site.

Reads one JSON job from standard input: {"code", "input", "cpu_s", "memory_bytes", "output_bytes", "answer"}. Writes
{"result": value} or {"error": {"type", "message", "line", "traceback"}} to the file `answer`. The code sees `input`;
its result is what it returns at top level, else what its variable `result` holds. Started as a file by an ordinary
Python, or by `main()` from the packaged application, which is no Python that takes a file.
"""

import ast
import contextlib
import json
import linecache
import sys
import traceback
from typing import Any

NAME = "<your code>"
FUNCTION = "_step"
TOO_LARGE = "<result too large>"
"""An error's type that no class can have."""
MORE_TASKS = 256
"""Processes and threads the code may add to those the machine has."""


def main() -> int:
    job = json.load(sys.stdin)
    limit(job)
    try:
        answer = {"result": run(job["code"], job["input"])}
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
    except BaseException as error:  # noqa: BLE001  the user's code may raise anything, SystemExit too
        text = json.dumps({"error": told(error)})
    # A lone surrogate has no UTF-8; backslashreplace writes it as the escape that JSON has for it.
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > job["output_bytes"]:  # the operating system would cut it off in the middle
        data = json.dumps({"error": {"type": TOO_LARGE}}).encode()
    sys.stdout.flush()
    with open(job["answer"], "wb") as file:
        file.write(data)
    return 0


def limit(job: dict[str, Any]) -> None:
    """Limits of the operating system, which the code cannot raise again. Windows has none of them."""
    try:
        import resource
    except ImportError:
        return
    limits = {
        resource.RLIMIT_CPU: (job["cpu_s"], job["cpu_s"] + 1),  # SIGXCPU first, SIGKILL for who ignores it
        resource.RLIMIT_AS: (job["memory_bytes"],) * 2,
        resource.RLIMIT_FSIZE: (job["output_bytes"],) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    # Counted per user and not per group: what all users have is the least bound that cannot refuse an honest start.
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/loadavg", encoding="ascii") as file:
        limits[resource.RLIMIT_NPROC] = (int(file.read().split()[3].split("/")[1]) + MORE_TASKS,) * 2
    for which, values in limits.items():
        # macOS refuses an address space limit; the time limit holds there all the same.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, values)


def run(code: str, value: object) -> object:
    """The code's result. linecache gets the source, so that tracebacks show its lines."""
    linecache.cache[NAME] = (len(code), None, code.splitlines(keepends=True), NAME)
    tree = ast.parse(code, NAME)
    space: dict[str, Any] = {"__name__": "__step__", "input": value}
    if not returns(tree.body):
        exec(compile(tree, NAME, "exec"), space)  # noqa: S102  running the user's code is what this file is for
        return space.get("result")
    wrapper = ast.parse(f"def {FUNCTION}(input): return locals().get('result')")
    function = wrapper.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body[:0] = tree.body
    exec(compile(wrapper, NAME, "exec"), space)  # noqa: S102
    result: object = space[FUNCTION](value)
    return result


def returns(body: list[ast.stmt]) -> bool:
    """Whether a return stands outside of any function."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, inner):
            waiting += ast.iter_child_nodes(node)
    return False


def told(error: BaseException) -> dict[str, Any]:
    """The error as the user's code sees it: frames of this file are left out."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
    shown = "".join(traceback.format_list(frames) + traceback.format_exception_only(type(error), error))
    return {
        "type": type(error).__name__,
        "message": str(error)[:2000],
        "line": line,
        "traceback": shown.replace(f", in {FUNCTION}\n", "\n")[:20_000],
    }


if __name__ == "__main__":
    sys.exit(main())
