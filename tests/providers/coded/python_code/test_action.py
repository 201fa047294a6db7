import sys
import threading
import time

import pytest

from flowstudio.providers.coded.python_code import interpreter
from flowstudio.providers.coded.python_code.action import CodeFailedError
from flowstudio.providers.errors import ActionCancelledError, ActionTimeoutError, BadAnswerError, BadParamError
from flowstudio.providers.ports import Limits


def code(act, text, limits=None, **params):
    return act("python_code", "run", {"code": text, **params}, limits=limits)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("result = [x * 2 for x in input]", [2, 4]),
        ("return sum(input)", 3),
        ("if input:\n    return 'yes'\nreturn 'no'", "yes"),
        ("result = 5\nif not input:\n    return 6", 5),
        ("def double(x):\n    return 2 * x\nresult = double(input[0])", 2),
        ("import math\nreturn math.floor(2.5)", 2),
        ('return """a\n  b"""', "a\n  b"),
        ("pass", None),
        ("return 'grüße ☃'", "grüße ☃"),
        ("return 'ü' + chr(0xd800) + chr(0)", "ü\ud800\0"),
    ],
)
def test_the_result_is_what_the_code_returns_or_calls_result(act, text, value) -> None:
    assert code(act, text, input=[1, 2]).output == value


@pytest.mark.parametrize("value", ["[draft] hello", {"a": [1]}, None, 2.5, ""])
def test_the_input_arrives_as_it_is(act, value) -> None:
    assert code(act, "return [input]", input=value).output == [value]


def test_printed_lines_go_to_the_log(act) -> None:
    code(act, "import sys\nprint('one')\nprint('två')\nprint('oops', file=sys.stderr)")
    assert sorted(act.lines) == [("info", "one"), ("info", "två"), ("warning", "oops")]


def test_what_the_code_prints_is_limited(act) -> None:
    code(act, "for i in range(40):\n    print('x' * 100_000)")
    assert act.lines[-1] == ("warning", "The code prints too much; further lines are left out.")
    assert sum(len(text) for _, text in act.lines) < 1_100_000


def test_an_error_names_the_users_line_and_shows_a_clean_traceback(act) -> None:
    with pytest.raises(CodeFailedError) as caught:
        code(act, "def f(x):\n    return 1 / x\n\nreturn f(0)")
    assert caught.value.sentence == "The code failed in line 2: ZeroDivisionError: division by zero."
    traceback = caught.value.facts["traceback"]
    lines = [line.strip() for line in traceback.splitlines() if line.strip(" ^~")]
    assert lines == [
        'File "<your code>", line 4',
        "return f(0)",
        'File "<your code>", line 2, in f',
        "return 1 / x",
        "ZeroDivisionError: division by zero",
    ]


def test_a_syntax_error_names_its_line(act) -> None:
    with pytest.raises(CodeFailedError, match="failed in line 2: SyntaxError"):
        code(act, "a = 1\nb = = 2")


@pytest.mark.parametrize("text", ["return {1, 2}", "return float('nan')", "return object()"])
def test_a_result_that_is_no_json_is_a_sentence(act, text) -> None:
    with pytest.raises(CodeFailedError, match="The result of the code is not JSON"):
        code(act, text)


def test_leaving_the_process_is_a_sentence(act) -> None:
    with pytest.raises(CodeFailedError, match="exit code 3"):
        code(act, "import os\nos._exit(3)")
    with pytest.raises(CodeFailedError, match="SystemExit: 2"):
        code(act, "raise SystemExit(2)")


def test_nothing_of_the_environment_or_the_packages_is_seen(act, monkeypatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    program = "import os, sys\nreturn [dict(os.environ), sys.path, os.listdir()]"
    environment, path, listed = code(act, program).output
    assert "ENCRYPTION_KEY" not in environment
    assert not [each for each in path if "site-packages" in each or "somewhere" in each]
    assert listed == []
    with pytest.raises(CodeFailedError, match="No module named 'requests'"):
        code(act, "import requests")


def test_memory_is_limited(act) -> None:
    with pytest.raises(CodeFailedError, match="more than 128 MB of memory in line 1"):
        code(act, "x = bytearray(10**9)", memory_mb=128)


def test_processor_time_is_limited(act) -> None:
    with pytest.raises(CodeFailedError, match="more than 1 s of processor time"):
        code(act, "while True: pass", cpu_s=1)


def test_time_is_limited(act) -> None:
    with pytest.raises(ActionTimeoutError, match=r"within 0\.3 s"):
        code(act, "import threading\nthreading.Event().wait()", limits=Limits(total_s=0.3))


def test_a_result_over_the_size_limit_is_refused(act) -> None:
    with pytest.raises(BadAnswerError, match="larger than 1 MB"):
        code(act, "return 'x' * 3_000_000", limits=Limits(max_bytes=1024 * 1024))


def test_cancel_kills_the_code_and_what_it_started(act) -> None:
    program = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
print(child.pid, flush=True)
child.wait()
"""
    started = threading.Event()
    act.lines = Lines(started)
    cancelled_at = []

    def cancel() -> None:
        started.wait(10)
        cancelled_at.append(time.monotonic())
        act.cancel.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(ActionCancelledError):
        code(act, program)
    assert time.monotonic() - cancelled_at[0] < 0.5
    thread.join()
    assert is_gone(int(act.lines[0][1]))


class Lines(list):
    """Log lines; the first one sets the event."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._event = event

    def append(self, line) -> None:
        super().append(line)
        self._event.set()


def is_gone(pid: int) -> bool:
    """Whether the process ended; one that nobody collected yet (a zombie) has."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_the_code_leaves_running_dies_with_it(act) -> None:
    program = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
return child.pid
"""
    assert is_gone(code(act, program).output)


def test_another_interpreter_can_be_chosen(act) -> None:
    assert code(act, "import pytest\nreturn pytest.__name__", interpreter=sys.executable).output == "pytest"
    with pytest.raises(BadParamError, match="not the full path of a Python interpreter"):
        code(act, "pass", interpreter="python3")


def test_the_packaged_application_runs_the_step_itself(monkeypatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert interpreter.command("") == [sys.executable, "--python-step"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")
@pytest.mark.parametrize(
    "placed", ["os.mkfifo('../answer.json')", "os.symlink('/dev/zero', '../answer.json')", "os.mkdir('../answer.json')"]
)
def test_what_stands_in_the_place_of_the_answer_is_not_read(act, placed) -> None:
    with pytest.raises(CodeFailedError, match="without a result"):
        code(act, f"import os\n{placed}\nos._exit(0)")


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
def test_a_child_that_leaves_the_group_holds_nobody_up(act) -> None:
    program = """
import os
if os.fork() == 0:
    os.setsid()
    os.execvp("sleep", ["sleep", "20"])
return os.getpid()
"""
    started = time.monotonic()
    assert code(act, program).output
    assert time.monotonic() - started < 8
