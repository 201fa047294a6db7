"""python_code.run: a few lines of the user's Python between two steps, isolated from FlowStudio and its secrets."""

import json
import os
import signal
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.coded.params import Params
from flowstudio.providers.coded.python_code.child import TOO_LARGE
from flowstudio.providers.coded.python_code.interpreter import NoPythonError, command, environment
from flowstudio.providers.coded.python_code.process import Printed, StepProcess
from flowstudio.providers.errors import ActionCancelledError, ActionTimeoutError, BadAnswerError, ProviderError
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.result import ProviderResult

MEGABYTE: Final = 1024 * 1024
PRINTED_BYTES: Final = MEGABYTE


class CodeFailedError(ProviderError):
    """The user's code raised, or its process died. facts hold the line and the traceback."""

    code = "provider.code"


def run(ctx: ActionContext) -> ProviderResult:
    """Output: what the code returned, or its variable `result`. Printed lines go to the log as they come."""
    params = Params(ctx)
    code = params.required_text("code")
    memory_mb = params.integer("memory_mb", 512, minimum=64)
    cpu_s = params.integer("cpu_s", 30, minimum=1)
    program = command(params.text("interpreter").strip())
    with tempfile.TemporaryDirectory(prefix="flowstudio-step-", ignore_cleanup_errors=True) as folder:
        work = Path(folder, "work")
        work.mkdir()
        answer = Path(folder, "answer.json")
        job: dict[str, Json] = {
            "code": code,
            "input": params.raw("input"),
            "cpu_s": cpu_s,
            "memory_bytes": memory_mb * MEGABYTE,
            "output_bytes": ctx.limits.max_bytes,
            "answer": str(answer),
        }
        process = _started(program, str(work))
        exit_code = process.run(json.dumps(job).encode(), _printed(ctx), ctx.call.cancel, ctx.limits.total_s)
        _check_end(ctx, process, exit_code, cpu_s)
        output = _output(answer, exit_code, ctx.limits.max_bytes, memory_mb)
    return ProviderResult(True, output, "Code finished")


def _started(program: list[str], folder: str) -> StepProcess:
    try:
        return StepProcess(program, folder, environment(folder))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NoPythonError(
            f"Python could not be started: {reason}.", fix="Check the interpreter of the step."
        ) from error


def _printed(ctx: ActionContext) -> Printed:
    log: Callable[[str, str], None] = ctx.log
    return Printed(log, PRINTED_BYTES)


def _check_end(ctx: ActionContext, process: StepProcess, exit_code: int, cpu_s: int) -> None:
    """Raises for an end that came from outside or from a limit."""
    if ctx.call.cancel.is_set:
        raise ActionCancelledError("The code was cancelled.")
    if process.is_overdue:
        fix = "Make it faster, or raise the step's time limit."
        raise ActionTimeoutError(f"The code did not finish within {ctx.limits.total_s:g} s.", fix=fix, retryable=False)
    if os.name == "nt" or exit_code >= 0:
        return
    if exit_code == -signal.SIGXCPU:
        fix = "Make it faster, or raise the limit of processor time."
        raise CodeFailedError(f"The code used more than {cpu_s} s of processor time.", fix=fix)
    if exit_code == -signal.SIGKILL:
        fix = "It used too much memory or processor time; work on less at once."
        raise CodeFailedError("The operating system ended the code.", fix=fix)


def _output(answer: Path, exit_code: int, max_bytes: int, memory_mb: int) -> Json:
    """What the child wrote. Raises CodeFailedError with line and traceback, BadAnswerError when it is too large."""
    try:
        content = _content(answer, max_bytes)
        if len(content) > max_bytes:
            raise _too_large(max_bytes)
        written = json.loads(content)
        if "error" not in written:
            result: Json = written["result"]
            return result
        error = written["error"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        sentence = f"The code ended its process (exit code {exit_code}) without a result."
        raise CodeFailedError(sentence, fix="Let it run to its end; do not call os._exit.") from None
    if isinstance(error, dict) and error.get("type") == TOO_LARGE:
        raise _too_large(max_bytes)
    raise _raised(error if isinstance(error, dict) else {}, memory_mb)


def _content(answer: Path, max_bytes: int) -> bytes:
    """At most a byte more than max_bytes. The code may have put a pipe or a link to a device in the file's place."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(answer, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a file")
        return file.read(max_bytes + 1)


def _too_large(max_bytes: int) -> BadAnswerError:
    return BadAnswerError(f"The result is larger than {max_bytes // MEGABYTE} MB.", fix="Return less.")


def _raised(error: dict[str, Json], memory_mb: int) -> CodeFailedError:
    kind, message, line = error.get("type"), str(error.get("message") or ""), error.get("line")
    facts = {"line": line, "type": kind, "traceback": error.get("traceback")}
    where = f" in line {line}" if line else ""
    if kind == "MemoryError":
        fix = "Work on less at once, or raise the memory limit."
        return CodeFailedError(f"The code needed more than {memory_mb} MB of memory{where}.", fix=fix, facts=facts)
    if not line and kind in ("TypeError", "ValueError") and "JSON" in message:
        fix = "Return only text, numbers, true, false, None, lists and objects of these."
        return CodeFailedError(f"The result of the code is not JSON: {message}.", fix=fix, facts=facts)
    told = f"{kind}: {message}".rstrip(": ").rstrip(".")
    return CodeFailedError(f"The code failed{where}: {told}.", facts=facts)
