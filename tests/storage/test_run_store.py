import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from flowstudio.engine.model import Failure, Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.ports import RunChange
from flowstudio.plan.model import Plan, Step, TriggerKind
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.storage.tables import UNFINISHED
from flowstudio.workspace.errors import UnstorableValueError

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
PLAN = Plan(id="p1", name="Digest", steps=(Step("fetch", "http", "request", params={"url": "http://x"}),))
FAILURE = Failure("provider.timeout", "It took too long.", "Try again.", {"s": 3}, "fetch", True, 2.5)


@pytest.fixture
def store(database: Database) -> SqlRunStore:
    return SqlRunStore(database)


def run(run_id: str = "r1", user_id: str = "ann", *, after_s: float = 0, plan: Plan = PLAN) -> Run:
    created = NOW + timedelta(seconds=after_s)
    return Run(run_id, user_id, plan, RunState.QUEUED, TriggerEvent(), created)


def step(sequence: int = 1, state: StepState = StepState.SUCCEEDED, **changes: object) -> StepRun:
    made = StepRun("r1", "fetch", (), state, sequence, ports=("out",), output={"a": [1, None]}, started_at=NOW)
    return replace(made, **changes)


def test_a_run_comes_back_as_it_went(store: SqlRunStore) -> None:
    trigger = TriggerEvent(TriggerKind.WEBHOOK, {"body": {"n": 2**70}}, "hook")
    whole = replace(run(), trigger=trigger, started_at=NOW, failure=FAILURE, response={"status": 200})
    assert store.create(whole)
    assert store.get("r1") == whole


def test_a_second_run_of_the_same_id_is_refused_and_changes_nothing(store: SqlRunStore) -> None:
    store.create(run())
    assert not store.create(run(plan=replace(PLAN, name="Other")))
    assert store.get("r1") == run()


def test_a_step_run_comes_back_as_it_went(store: SqlRunStore) -> None:
    store.create(run())
    whole = step(iteration=(3, 0), attempt=2, message="done", failure=FAILURE, metadata={"k": 1}, duration_ms=1.25)
    store.write([whole])
    assert store.step_runs("r1") == [whole]
    assert store.step_run("r1", "fetch", (3, 0)) == whole
    assert store.step_run("r1", "fetch", (3,)) is None


def test_steps_are_read_in_the_order_of_their_sequence(store: SqlRunStore) -> None:
    store.create(run())
    store.write([step(2, step_id="b"), step(1, step_id="a"), step(3, step_id="c")])
    assert [each.step_id for each in store.step_runs("r1")] == ["a", "b", "c"]


def test_a_final_result_replaces_a_waiting_one(store: SqlRunStore) -> None:
    store.create(run())
    store.write([step(1, StepState.WAITING)])
    store.write([step(2)])
    assert store.step_runs("r1") == [step(2)]


def test_a_result_written_twice_stays_the_first(store: SqlRunStore) -> None:
    store.create(run())
    store.write([step(1)])
    store.write([step(2, StepState.FAILED), step(3, StepState.WAITING)])
    assert store.step_runs("r1") == [step(1)]


def test_one_batch_may_hold_both_results_of_a_step(store: SqlRunStore) -> None:
    store.create(run())
    store.write([step(1, StepState.WAITING), step(2), step(3, StepState.WAITING)])
    assert store.step_runs("r1") == [step(2)]


def test_a_runs_moves_are_kept(store: SqlRunStore) -> None:
    store.create(run())
    later = NOW + timedelta(seconds=5)
    store.write([RunChange("r1", RunState.RUNNING, NOW), step()])
    store.write([RunChange("r1", RunState.WAITING, NOW), RunChange("r1", RunState.RUNNING, later)])
    store.write([RunChange("r1", RunState.FAILED, later, FAILURE)])
    assert store.get("r1") == replace(run(), state=RunState.FAILED, started_at=NOW, finished_at=later, failure=FAILURE)


def test_an_answer_given_early_outlives_the_runs_end(store: SqlRunStore) -> None:
    store.create(run())
    store.write([RunChange("r1", RunState.RUNNING, NOW, response={"status": 201})])
    store.write([RunChange("r1", RunState.SUCCEEDED, NOW)])
    ended = store.get("r1")
    assert ended is not None
    assert ended.response == {"status": 201}


def test_a_run_that_ended_stays_ended(store: SqlRunStore) -> None:
    store.create(run())
    store.write([RunChange("r1", RunState.CANCELLED, NOW), RunChange("r1", RunState.RUNNING, NOW)])
    ended = store.get("r1")
    assert ended is not None
    assert ended.state is RunState.CANCELLED


def test_a_batch_with_one_bad_row_leaves_nothing_behind(store: SqlRunStore) -> None:
    store.create(run())
    with pytest.raises(UnstorableValueError, match="set"):
        store.write([step(1), step(2, step_id="b", output={"bad": {1}})])  # type: ignore[dict-item]
    assert store.step_runs("r1") == []


def test_a_batch_may_have_any_size(store: SqlRunStore) -> None:
    runs = [run(f"r{number}") for number in range(250)]
    assert store.write([], runs) == {each.id for each in runs}
    assert store.write([], [*runs, run("another")]) == {"another"}
    steps = [step(number, step_id=f"s{number}") for number in range(1, 250)]
    store.write(steps)
    assert store.step_runs("r1") == steps


def test_a_change_beside_a_repeated_new_run_is_that_of_the_run_which_is_there(store: SqlRunStore) -> None:
    store.write([], [run("r1")])
    assert store.write([RunChange("r1", RunState.CANCELLED, NOW)], [run("r1")]) == frozenset()
    found = store.get("r1")
    assert found is not None
    assert found.state is RunState.CANCELLED


def test_odd_values_are_stored(store: SqlRunStore) -> None:
    store.create(run())
    odd = step(output={"nul": "a\0b", "big": 2**80, "half": "\ud800"}, message="nul \0 and \ud800")
    store.write([odd])
    (back,) = store.step_runs("r1")
    assert back.output == odd.output
    assert back.message == "nul \ufffd and \ufffd"


def test_unfinished_runs_of_all_users_come_oldest_first(store: SqlRunStore) -> None:
    for number, user in enumerate(["ann", "bob", "ann", "bob"]):
        store.create(run(f"r{number}", user, after_s=-number))
    store.write([RunChange("r1", RunState.SUCCEEDED, NOW), RunChange("r2", RunState.INTERRUPTED, NOW)])
    assert [each.id for each in store.unfinished()] == ["r3", "r2", "r0"]


def test_a_user_finds_own_runs_only(store: SqlRunStore) -> None:
    store.create(run())
    assert store.find("ann", "r1") == run()
    assert store.find("bob", "r1") is None
    assert store.list_runs("bob") == []
    assert store.counts("bob") == {}


def test_runs_are_listed_newest_first_by_plan_and_limit(store: SqlRunStore) -> None:
    other = replace(PLAN, id="p2")
    for number in range(4):
        store.create(run(f"r{number}", after_s=number, plan=PLAN if number % 2 else other))
    assert names(store.list_runs("ann")) == ["r3", "r2", "r1", "r0"]
    assert names(store.list_runs("ann", plan_id="p2")) == ["r2", "r0"]
    assert names(store.list_runs("ann", limit=1)) == ["r3"]
    assert names(store.list_runs("ann", limit=0)) == []


def names(runs: Sequence[Run]) -> list[str]:
    return [each.id for each in runs]


def test_runs_are_counted_by_state(store: SqlRunStore) -> None:
    for number in range(3):
        store.create(run(f"r{number}"))
    store.write([RunChange("r0", RunState.SUCCEEDED, NOW)])
    assert store.counts("ann") == {"queued": 2, "succeeded": 1}


def test_each_run_keeps_the_revision_it_was_started_with(store: SqlRunStore, database: Database) -> None:
    changed = replace(PLAN, description="changed")
    store.create(run("r1"))
    store.create(run("r2", plan=changed))
    store.create(run("r3"))
    fresh = SqlRunStore(database)
    assert {each.id: each.plan for each in fresh.list_runs("ann")} == {"r1": PLAN, "r2": changed, "r3": PLAN}


def test_one_document_is_stored_once_however_often_it_runs(store: SqlRunStore, database: Database) -> None:
    for number in range(5):
        store.create(run(f"r{number}"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM plan_revisions")).scalar() == 1


def test_many_threads_start_the_same_run_once(store: SqlRunStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: store.create(run()), range(16))) == 1


def test_the_old_services_words_stand_beside_ours(store: SqlRunStore, database: Database) -> None:
    store.create(run())
    store.write([RunChange("r1", RunState.FAILED, NOW, FAILURE)])
    with database.reading() as connection:
        row = connection.execute(text("SELECT status, error_message FROM execution_logs")).one()
    assert tuple(row) == ("failed", "It took too long.")


WRITER = """
import sys
from dataclasses import replace
from flowstudio.engine.model import Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Plan
from flowstudio.storage.columns import from_micros
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
store = SqlRunStore(Database(sys.argv[1], "NORMAL"))
store.create(Run("r1", "ann", Plan("p1", "Digest"), RunState.QUEUED, TriggerEvent(), from_micros(0)))
for number in range(1, 1_000_000):
    store.write([StepRun("r1", "s", (number, part), StepState.SUCCEEDED, number) for part in range(3)])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill_and_batches_stay_whole(sqlite: Database) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, f"sqlite:///{sqlite.place}"], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(50)]
    writer.kill()
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    kept = [step.iteration for step in SqlRunStore(sqlite).step_runs("r1")]
    assert len(kept) >= 3 * max(acknowledged)
    assert len(kept) % 3 == 0


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f"SELECT * FROM execution_logs WHERE {UNFINISHED} ORDER BY created_at", "ix_execution_logs_unfinished"),
        ("SELECT * FROM execution_logs WHERE user_id='a' ORDER BY created_at DESC, id DESC", "ix_execution_logs_user"),
        (
            "SELECT * FROM execution_logs WHERE user_id='a' AND plan_id='p' ORDER BY created_at DESC, id DESC",
            "ix_execution_logs_plan",
        ),
        ("SELECT state, count(*) FROM execution_logs WHERE user_id='a' GROUP BY state", "ix_execution_logs_state"),
        ("SELECT * FROM step_runs WHERE run_id='r' ORDER BY sequence", "sqlite_autoindex_step_runs_1"),
    ],
)
def test_each_query_has_its_index_and_sorts_nothing_it_need_not(sqlite: Database, query: str, index: str) -> None:
    with sqlite.reading() as connection:
        plan = " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    assert index in plan
    assert "execution_logs" not in query or "TEMP B-TREE" not in plan
