"""The three faces as a user meets them: a command, a server process, a window. Nothing else of the program is used."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

PROGRAM = (sys.executable, "-m", "flowstudio")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class CommandLine:
    """`flowstudio ...` with its own data folder and no display."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        return {**kept, "FLOWSTUDIO_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1", **self.environment}

    def __call__(self, *arguments: str, stdin: str | None = None, timeout: float = 90) -> Answer:
        done = subprocess.run(
            [*PROGRAM, *arguments], env=self.environ(), input=stdin, capture_output=True, text=True, timeout=timeout
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


class Server:
    """`flowstudio serve` in a process of its own, on a free port."""

    def __init__(self, command: CommandLine, *arguments: str) -> None:
        port = () if "--port" in arguments else ("--port", "0")
        self.process = command.start("serve", *port, *arguments)
        self.said: list[str] = []
        self.address = self._read_address()
        self.http = requests.Session()

    def _read_address(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := ADDRESS.search(line):
                return found.group()
        raise AssertionError(f"the server ended without an address: {''.join(self.said)}")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.address + path, timeout=60, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options).json()

    def post(self, path: str, document: Any, status: int = 200) -> Any:
        answer = self.request("POST", path, json=document)
        assert answer.status_code == status, answer.text
        return answer.json()

    def kill(self) -> None:
        """kill -9: no goodbye."""
        self.process.kill()
        self._reap()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._reap()

    def _reap(self) -> None:
        self.process.communicate(timeout=30)
        self.http.close()
