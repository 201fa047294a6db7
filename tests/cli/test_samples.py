"""The sample plans by name."""

import json
from collections.abc import Callable

import pytest

from flowstudio.cli.samples import read_sample, samples
from flowstudio.workspace.errors import FileUnreadableError

Run = Callable[..., tuple[int, str, str]]


def test_samples_are_listed_with_name_title_and_path(run: Run) -> None:
    code, out, _err = run("sample")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [each.name for each in samples()]
    assert len(samples()) >= 3


def test_a_sample_is_known_by_its_name_and_by_its_files(run: Run) -> None:
    first = samples()[0]
    assert read_sample(first.name) == read_sample(first.path.name)


def test_a_wrong_name_suggests_the_right_one() -> None:
    first = samples()[0].name
    with pytest.raises(FileUnreadableError) as caught:
        read_sample(first + "s")
    assert first in caught.value.fix


def test_the_first_sample_runs_offline_in_the_terminal(
    run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    code, out, _err = run("sample", samples()[0].name, "--json")
    assert code == 0
    assert json.loads(out)["status"] == "success"
