"""Tokens: made once, kept as hashes, revoked at once."""

from pathlib import Path

import pytest

from flowstudio.workspace.errors import WorkspaceError
from flowstudio.workspace.tokens import Tokens


def test_a_token_names_its_user(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    token = tokens.create("ada")
    assert tokens.user_of(token) == "ada"
    assert tokens.user_of("fs_wrong") is None


def test_the_file_holds_no_token_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    token = Tokens(file).create("ada")
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_another_process_sees_a_new_token_and_a_revoked_one(tmp_path: Path) -> None:
    here, there = Tokens(tmp_path / "tokens.json"), Tokens(tmp_path / "tokens.json")
    token = here.create("ada")
    assert there.user_of(token) == "ada"
    assert here.revoke(here.list()[0].id)
    assert there.user_of(token) is None


def test_revoking_what_is_not_there_says_so(tmp_path: Path) -> None:
    assert not Tokens(tmp_path / "tokens.json").revoke("nothing")


def test_a_damaged_file_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(WorkspaceError, match="damaged"):
        Tokens(tmp_path / "tokens.json").user_of("fs_x")
