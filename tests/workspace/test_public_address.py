"""Where callers from outside reach the installation."""

from pathlib import Path

import pytest

from flowstudio.settings import Settings
from flowstudio.workspace.public_address import PublicAddress


@pytest.mark.parametrize(("host", "base"), [("127.0.0.1", "http://127.0.0.1:5001"), ("::1", "http://[::1]:5001")])
def test_without_a_setting_it_is_where_the_server_will_listen(tmp_path: Path, host: str, base: str) -> None:
    address = PublicAddress(Settings(tmp_path, host=host))
    assert address.to_resume("k") == f"{base}/api/resume/k"


def test_the_port_that_was_free_counts(tmp_path: Path) -> None:
    address = PublicAddress(Settings(tmp_path))
    address.listens_at("http://127.0.0.1:5002")
    assert address.to_resume("k") == "http://127.0.0.1:5002/api/resume/k"


def test_the_setting_wins(tmp_path: Path) -> None:
    address = PublicAddress(Settings(tmp_path, public_url="https://flows.example.org/studio"))
    address.listens_at("http://127.0.0.1:5002")
    assert address.to_resume("k") == "https://flows.example.org/studio/api/resume/k"
