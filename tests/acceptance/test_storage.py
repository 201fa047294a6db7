"""How much room the history takes, and how it is given back."""

from pathlib import Path

from conftest import Serve
from faces import CommandLine
from plans import chain, save, step

BIG = "x" * 50_000


def _run_some(cli: CommandLine, tmp_path: Path, times: int) -> None:
    plan = chain("big", step("text", "logic", "transform", template=BIG))
    file = save(tmp_path, plan)
    for _ in range(times):
        assert cli("run", file).code == 0


def test_a_history_over_its_cap_is_cleaned_and_its_file_shrinks(cli: CommandLine, tmp_path: Path) -> None:
    _run_some(cli, tmp_path, 3)
    before = cli("storage", "report", "--json").json
    capped = CommandLine(cli.data_dir, {"FLOWSTUDIO_HISTORY_MAX_BYTES": "1"})
    cleaned = capped("storage", "clean", "--json").json
    after = cli("storage", "report", "--json").json
    assert [(each["id"], each["runs"], each["steps"]) for each in before["plans"]] == [("big", 3, 3)]
    assert cleaned["runs"] == 3
    assert cleaned["revisions"] == 1
    assert after["plans"] == []
    assert after["database_bytes"] < before["database_bytes"] - 2 * len(BIG)
    assert after["free_bytes"] == 0


def test_the_number_of_runs_kept_is_a_setting(cli: CommandLine, tmp_path: Path) -> None:
    _run_some(cli, tmp_path, 3)
    few = CommandLine(cli.data_dir, {"FLOWSTUDIO_HISTORY_RUNS": "1"})
    assert "Removed 2 runs" in few("storage", "clean").out
    said = few("storage", "report").out
    assert "1 run of a plan" in said
    assert "big" in said


def test_the_api_reports_only_the_callers_own_plans(cli: CommandLine, tmp_path: Path, serve: Serve) -> None:
    _run_some(cli, tmp_path, 1)
    server = serve()
    assert [each["id"] for each in server.get("/api/storage")["plans"]] == ["big"]
    other = server.get("/api/storage?user_id=bob")
    assert other["plans"] == []
    assert other["limits"] == {"max_bytes": 2 * 1024**3, "days": 0, "runs": 0}


def test_a_plan_may_keep_fewer_runs_than_the_others(cli: CommandLine, tmp_path: Path) -> None:
    _run_some(cli, tmp_path, 2)
    said = step("text", "logic", "transform", template="few")
    few = save(tmp_path, chain("few", said, settings={"keep_runs": 1}), "few.flow")
    for _ in range(3):
        assert cli("run", few).code == 0
    assert "Removed 2 runs" in cli("storage", "clean").out
    report = cli("storage", "report", "--json").json
    assert {each["id"]: each["runs"] for each in report["plans"]} == {"big": 2, "few": 1}
