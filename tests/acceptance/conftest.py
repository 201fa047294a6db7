"""The faces, and a vendor on the loopback interface."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faces import CommandLine, Server
from pytestqt.qtbot import QtBot
from vendor import Vendor, vendor_running

if TYPE_CHECKING:
    from windows import Person

Serve = Callable[..., Server]
KEY = urlsafe_b64encode(b"a key for these tests, 32 bytes.").decode()
"""The vault's key where a test must not depend on the keyring of the machine."""


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "data")


@pytest.fixture
def serve(cli: CommandLine) -> Iterator[Serve]:
    """Starts servers on the test's data folder and ends them with the test."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(cli, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve: Serve) -> Server:
    return serve()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for a whole module: for tests that do not mind what else is stored there."""
    server = Server(CommandLine(tmp_path_factory.mktemp("shared")))
    yield server
    server.stop()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with vendor_running() as running:
        yield running


@pytest.fixture
def keyed(cli: CommandLine) -> CommandLine:
    """The command line on the same data folder, with a key for the vault."""
    return CommandLine(cli.data_dir, {"ENCRYPTION_KEY": KEY})


@pytest.fixture
def person(keyed: CommandLine, qtbot: QtBot) -> "Iterator[Person]":
    """Somebody at an open window over that data folder."""
    from windows import window_on

    with window_on(keyed.data_dir, keyed.environment, qtbot) as at_the_window:
        yield at_the_window
