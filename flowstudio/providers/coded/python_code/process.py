"""The process of one step: its input, its output line by line, its end by itself, by time or by cancel."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Final

from flowstudio.providers.ports import Cancel

LONGEST_LINE: Final = 4_000
LAST_WORDS_S: Final = 1.0
"""How long lines are still taken that were printed before the end."""


class Printed:
    """Lines a process prints, passed to the log until so many bytes; the rest is read and dropped."""

    def __init__(self, log: Callable[[str, str], None], max_bytes: int) -> None:
        self._log = log
        self._left = max_bytes
        self._lock = threading.Lock()
        self._is_over = False

    def end(self) -> None:
        """Whatever is still printed belongs to no step any more."""
        with self._lock:
            self._is_over = True

    def follow(self, stream: IO[bytes], level: str) -> threading.Thread:
        thread = threading.Thread(target=self._read, args=(stream, level), name="python step output", daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[bytes], level: str) -> None:
        with stream:
            while line := stream.readline(LONGEST_LINE):
                self._tell(level, line)

    def _tell(self, level: str, line: bytes) -> None:
        with self._lock:
            if self._is_over:
                return
            before, self._left = self._left, self._left - len(line)
        if self._left >= 0:
            self._log(level, line.decode("utf-8", "replace").rstrip("\r\n"))
        elif before >= 0:
            self._log("warning", "The code prints too much; further lines are left out.")


class StepProcess:
    """A process group that dies as a whole: when it is cancelled, when its time is up, and after its leader ended."""

    def __init__(self, command: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
        self.is_overdue = False
        self._process = subprocess.Popen(  # noqa: S603  the command is ours or an interpreter the user chose
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name != "nt",
        )

    def run(self, job: bytes, printed: Printed, cancel: Cancel, total_s: float) -> int:
        """Feeds the job, waits for the end, answers the exit code; negative is the signal that ended it."""
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        readers = [printed.follow(process.stdout, "info"), printed.follow(process.stderr, "warning")]
        forget = cancel.on_cancel(self.kill)
        timer = threading.Timer(total_s, self._expire)
        timer.start()
        try:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(job)
            return process.wait()
        finally:
            timer.cancel()
            forget()
            self.kill()
            # A child that left the group keeps the pipes open as long as it likes; nobody waits for that.
            deadline = time.monotonic() + LAST_WORDS_S
            for reader in readers:
                reader.join(max(deadline - time.monotonic(), 0.0))
            printed.end()

    def kill(self) -> None:
        """Thread-safe; a process that is gone already is no fault."""
        with suppress(ProcessLookupError, PermissionError):
            if os.name != "nt":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _expire(self) -> None:
        self.is_overdue = True
        self.kill()
