"""Presence: told by locks that die with their process."""

import subprocess
import sys
from pathlib import Path

from flowstudio.workspace.presence import Presence

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
