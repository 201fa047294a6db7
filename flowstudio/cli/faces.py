"""What the commands need from the composition root, which stands above this room."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flowstudio.providers.registry import Registry
from flowstudio.settings import Settings
from flowstudio.workspace.services import Services


class Listening(Protocol):
    """Where the server listens, and what to know about it."""

    @property
    def address(self) -> str: ...
    @property
    def message(self) -> str: ...


class RunningApplication(Protocol):
    @property
    def services(self) -> Services: ...
    def start(self) -> int: ...
    def serve(self, host: str | None = None, port: int | None = None) -> Listening: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Faces:
    """build: an application that runs plans; start() on it also recovers runs and starts schedules.

    catalogue: what a user's steps can call, without making a database. desktop: opens the window, gives the exit code.
    """

    build: Callable[[Settings], RunningApplication]
    catalogue: Callable[[Settings, str], Registry]
    desktop: Callable[[Settings], int]
