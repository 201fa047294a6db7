"""`flowstudio serve` as a process of its own, and what a process takes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving() -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """`flowstudio serve` on a fresh data folder; its port and its process."""
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    process = subprocess.Popen(
        [sys.executable, "-m", "flowstudio", "serve", "--port", "0"],
        env={**os.environ, "HOME": str(folder), "FLOWSTUDIO_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(found for line in process.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield int(address.group(1)), process
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def memory_mb(pid: int) -> float:
    """Resident memory of a process, in megabytes."""
    return _status(pid, "VmRSS") / 1024


def threads_of(pid: int) -> int:
    return _status(pid, "Threads")


def cpu_s(pid: int) -> float:
    """Processor time a process has taken so far, over all its threads; to the microsecond, unlike /proc/PID/stat."""
    schedstats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in schedstats) / 1e9


def _status(pid: int, key: str) -> int:
    """A number in /proc/PID/status, in kB where it is a size."""
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith(f"{key}:"))
    return int(line.split()[1])
