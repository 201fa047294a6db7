"""The commands as a person types them."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from flowstudio import paths
from flowstudio.plan.model import Edge, Plan, Step

Run: TypeAlias = Callable[..., tuple[int, str, str]]
Save: TypeAlias = Callable[[Any], Path]

GREETING = Plan(
    "p1", "Greet", steps=(Step("hello", "logic", "transform", "Say hello", {"template": "Hello {{ trigger.name }}"}),)
)


def test_a_plan_runs_with_live_lines_and_exit_code_0(run: Run, save: Save) -> None:
    code, out, err = run("run", save(GREETING), "--input", '{"name": "Ada"}')
    assert code == 0
    assert "Running “Greet”" in out
    assert "ok       Say hello" in out
    assert "Run succeeded" in out
    assert err == ""


def test_json_prints_the_execution_alone_on_standard_output(run: Run, save: Save) -> None:
    code, out, err = run("run", save(GREETING), "--json", "--input", '{"name": "Ada"}')
    execution = json.loads(out)
    assert code == 0
    assert (execution["status"], execution["execution_plan_id"]) == ("success", "p1")
    assert execution["trigger_data"] == {"name": "Ada"}
    assert "Run succeeded" in err


def test_input_may_come_from_a_file(run: Run, save: Save, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"name": "Grace"}')
    _code, out, _err = run("run", save(GREETING), "--json", "--input", f"@{tmp_path / 'data.json'}")
    assert "Hello Grace" in out


def test_a_plan_in_the_old_shape_runs(run: Run, save: Save) -> None:
    step = {"order": 1, "provider": "logic", "action": "transform", "params": {"template": "old"}}
    code, out, _err = run("run", save({"name": "Old", "plan_json": [step]}), "--json")
    assert code == 0
    assert json.loads(out)["logs"][0]["step"] == 1


def test_a_run_belongs_to_the_user_that_is_named(run: Run, save: Save) -> None:
    _code, out, _err = run("run", save(GREETING), "--json", "--user", "ada", "--input", '{"name": "A"}')
    assert json.loads(out)["user_id"] == "ada"


def test_a_failed_run_is_exit_code_1_and_says_why(run: Run, save: Save) -> None:
    code, out, _err = run("run", save(GREETING), "--input", "{}")
    assert code == 1
    assert "FAILED   Say hello" in out
    assert "trigger.name" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"flowstudio": 1,\n oops}', "Line 2"),
        ("[1]", "object"),
        ({"flowstudio": 99, "id": "p", "name": "x"}, "newer"),
        (Plan("p", "x", steps=(Step("a", "slak", "post_message"),)), "slak"),
        (
            Plan(
                "p",
                "x",
                steps=(
                    Step("a", "logic", "transform", params={"template": "x"}),
                    Step("b", "logic", "transform", params={"template": "x"}),
                ),
                edges=(Edge("a", "out", "b"), Edge("b", "out", "a")),
            ),
            "circle",
        ),
        (
            Plan(
                "p",
                "x",
                steps=(Step("a", "logic", "transform", params={"template": "x"}),),
                edges=(Edge("a", "out", "z"),),
            ),
            "“z”",
        ),
        (Plan("p", "x", steps=(Step("a", "logic", "transform", params={"template": "{{ trigger. }}"}),)), "template"),
    ],
)
def test_a_bad_plan_is_exit_code_2_and_a_sentence(run: Run, save: Save, content: Any, words: str) -> None:
    code, out, err = run("run", save(content))
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "none.flow"),
        ("run", "none.flow", "--nonsense"),
        ("nonsense",),
        ("run", ".", "--input", "{}"),
    ],
)
def test_bad_usage_is_exit_code_2_and_a_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    code, _out, err = run(*arguments)
    assert code == 2
    assert "Error" in err


def test_input_that_is_no_json_is_exit_code_2_with_its_place(run: Run, save: Save) -> None:
    code, _out, err = run("run", save(GREETING), "--input", '{"name": }')
    assert code == 2
    assert "line 1, column 10" in err


def test_a_good_plan_passes_the_check(run: Run, save: Save) -> None:
    code, out, err = run("plan", "check", save(GREETING))
    assert (code, err) == (0, "")
    assert "can run" in out


def test_the_check_names_step_and_field_of_each_problem(run: Run, save: Save) -> None:
    plan = Plan("p", "x", steps=(Step("a", "slak", "post_message"), Step("b", "logic", "filter")))
    code, _out, err = run("plan", "check", save(plan))
    assert code == 2
    assert "[a" in err
    assert "[b.items]" in err


def test_checking_makes_no_database(run: Run, save: Save) -> None:
    run("plan", "check", save(GREETING))
    assert not paths.database_file(paths.data_dir()).exists()


def test_providers_are_listed_and_searched(run: Run) -> None:
    code, out, _err = run("providers")
    assert code == 0
    assert "slack.post_message" in out
    _code, out, _err = run("providers", "--json", "--search", "slack")
    assert json.loads(out)["providers"][0]["name"] == "slack"


def test_credentials_come_from_standard_input_and_are_never_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("xoxb-secret\n"))
    code, out, err = run("credentials", "set", "slack")
    assert code == 0
    assert "xoxb-secret" not in out + err
    _code, out, _err = run("credentials", "list")
    assert "slack" in out
    assert "xoxb-secret" not in out
    assert run("credentials", "delete", out.split()[0])[0] == 0
    assert "empty" in run("credentials", "list")[1]


def test_an_unknown_provider_or_field_suggests_the_right_one(run: Run) -> None:
    code, _out, err = run("credentials", "set", "slak")
    assert code == 2
    assert "slack" in err
    code, _out, err = run("credentials", "set", "slack", "--field", "nonsense")
    assert code == 2
    assert "nonsense" in err


def test_a_token_is_made_listed_and_revoked(run: Run) -> None:
    assert run("token", "create", "--user", "ada")[1].startswith("fs_")
    listed = run("token", "list")[1].split()
    assert listed[1] == "ada"
    assert run("token", "revoke", listed[0])[0] == 0
    assert run("token", "revoke", listed[0])[0] == 2


def test_without_a_display_the_window_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    code, _out, err = run()
    assert code == 1
    assert "no display" in err
    assert "flowstudio run FILE" in err


def test_a_data_folder_that_cannot_be_made_is_a_sentence(
    run: Run, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FLOWSTUDIO_DATA_DIR", str(tmp_path / "file" / "data"))
    code, _out, err = run("run", save(GREETING))
    assert code == 1
    assert err.startswith("Error: ")


@pytest.mark.logs("A command failed on a bug")
def test_a_bug_is_a_sentence_and_the_place_of_the_log(run: Run, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("flowstudio.cli.commands.read_plan_file", broken)
    code, _out, err = run("run", save(GREETING))
    assert code == 1
    assert "Traceback" not in err
    folder = paths.log_dir(paths.data_dir())
    assert str(folder) in err
    assert "RuntimeError: oops" in (folder / "flowstudio.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("data", ["NaN", "[1e999]", "[" * 5000, "[" * 300 + "]" * 300, "9" * 5000])
def test_input_no_run_can_keep_is_bad_input(run: Run, save: Save, data: str) -> None:
    code, _out, err = run("run", save(GREETING), "--input", data)
    assert code == 2
    assert err.startswith("Error: --input")
    assert "--input @data.json" in err


@pytest.mark.parametrize("user", ["", " ", "a\nb", "x" * 201])
def test_a_user_id_is_a_short_printable_text(run: Run, save: Save, user: str) -> None:
    code, _out, err = run("run", save(GREETING), "--user", user)
    assert (code, "printable" in err) == (2, True)


def test_a_device_without_end_is_too_large_for_a_plan(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstudio.workspace.files.MAX_PLAN_BYTES", 1 << 20)
    code, _out, err = run("run", "/dev/zero")
    assert (code, "larger than 1 MB" in err) == (2, True)
