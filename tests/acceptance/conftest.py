"""The faces, and a vendor on the loopback interface."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faces import CommandLine, Server
from vendor import Vendor, vendor_running

Serve = Callable[..., Server]


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


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with vendor_running() as running:
        yield running
