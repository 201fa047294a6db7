"""Presence: told by locks that die with their process."""

import subprocess
import sys
from pathlib import Path

from flowstudio.workspace.presence import Presence, serving

STAYS = """
import sys
from pathlib import Path
from flowstudio.workspace.presence import Presence
presence = Presence(Path(sys.argv[1]))
print(presence.enter(), flush=True)
sys.stdin.read()
"""


def test_the_first_process_is_alone(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    assert presence.enter()
    presence.leave()
    assert list(tmp_path.iterdir()) == []


def test_a_second_one_is_not_alone_until_the_first_left(tmp_path: Path) -> None:
    first, second, third = Presence(tmp_path), Presence(tmp_path), Presence(tmp_path)
    assert first.enter()
    assert not second.enter()
    first.leave()
    second.leave()
    assert third.enter()
    third.leave()


def test_a_killed_process_is_not_taken_for_a_living_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STAYS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        own = Presence(tmp_path)
        assert not own.enter()
        own.leave()
        other.kill()
    assert own.enter()
    own.leave()


def test_others_are_told_where_a_process_serves_as_long_as_it_does(tmp_path: Path) -> None:
    first, second = Presence(tmp_path), Presence(tmp_path)
    first.enter()
    second.enter()
    second.serves_at("http://127.0.0.1:5002")
    assert serving(tmp_path) == ["http://127.0.0.1:5002"]
    second.serves_at("")
    assert serving(tmp_path) == []
    first.serves_at("http://127.0.0.1:5001")
    first.leave()
    second.leave()
    assert list(tmp_path.iterdir()) == []


def test_where_a_killed_process_served_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "1-dead.lock").touch()
    (tmp_path / "1-dead.address").write_text("http://127.0.0.1:5001", "utf-8")
    assert serving(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
