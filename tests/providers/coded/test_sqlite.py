import sqlite3
import threading
from contextlib import closing

import pytest

from flowstudio.providers.coded.sqlite import DatabaseFaultError
from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    BadAnswerError,
    BadParamError,
    NotFoundError,
)
from flowstudio.providers.ports import Limits

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL, photo BLOB)")
        database.execute("INSERT INTO item (name, price, photo) VALUES ('tea', 2.5, x'00ff'), ('jam', 4, NULL)")
        database.commit()
    return str(path)


def test_rows_are_a_list_of_objects(act, shop) -> None:
    rows = act.output("sqlite", "query", path=shop, sql="SELECT name, price, photo FROM item ORDER BY id")
    assert rows == [{"name": "tea", "price": 2.5, "photo": "AP8="}, {"name": "jam", "price": 4.0, "photo": None}]


@pytest.mark.parametrize(
    ("sql", "parameters"), [("name = ?", ["tea"]), ("name = :n", {"n": "tea"}), ("name = ?", "tea")]
)
def test_parameters_are_bound(act, shop, sql, parameters) -> None:
    query = f"SELECT id FROM item WHERE {sql}"
    assert act.output("sqlite", "query", path=shop, sql=query, parameters=parameters) == [{"id": 1}]


def test_a_value_that_looks_like_sql_stays_a_value(act, shop) -> None:
    sql = "SELECT id FROM item WHERE name = ?"
    assert act.output("sqlite", "query", path=shop, sql=sql, parameters=["x' OR '1'='1"]) == []


def test_writing_needs_the_switch(act, shop) -> None:
    params = {"path": shop, "sql": "DELETE FROM item WHERE name = 'tea'"}
    with pytest.raises(DatabaseFaultError, match="open for reading only"):
        act("sqlite", "query", params)
    assert act("sqlite", "query", params | {"read_only": False}).output["changed"] == 1
    assert act.output("sqlite", "query", path=shop, sql="SELECT count(*) AS n FROM item") == [{"n": 1}]


def test_a_returning_statement_answers_its_rows_and_keeps_them(act, shop) -> None:
    sql = "INSERT INTO item (name) VALUES ('salt') RETURNING id, name"
    assert act.output("sqlite", "query", path=shop, sql=sql, read_only=False) == [{"id": 3, "name": "salt"}]
    assert len(act.output("sqlite", "query", path=shop, sql="SELECT 1 FROM item")) == 3


def test_columns_of_the_same_name_all_stay(act, shop) -> None:
    assert act.output("sqlite", "query", path=shop, sql="SELECT 1 AS a, 2 AS a") == [{"a": 1, "a_2": 2}]


def test_more_rows_than_the_limit_are_left_out_and_said(act, shop) -> None:
    result = act("sqlite", "query", {"path": shop, "sql": "SELECT id FROM item ORDER BY id", "limit": 1})
    assert (result.output, result.metadata["truncated"]) == ([{"id": 1}], True)
    assert act.lines == [("warning", "Only the first 1 rows are returned; the query has more.")]


def test_rows_over_the_size_limit_are_refused(act, shop) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 9) SELECT zeroblob(300000) FROM n"
    with pytest.raises(BadAnswerError, match="more than 1 MB"):
        act("sqlite", "query", {"path": shop, "sql": sql}, limits=Limits(max_bytes=1024 * 1024))


def test_an_endless_query_ends_at_its_time_limit(act, shop) -> None:
    with pytest.raises(ActionTimeoutError, match=r"longer than 0\.1 s"):
        act("sqlite", "query", {"path": shop, "sql": ENDLESS}, limits=Limits(total_s=0.1))


def test_an_endless_query_ends_when_the_run_is_cancelled(act, shop) -> None:
    timer = threading.Timer(0.05, act.cancel.cancel)
    timer.start()
    with pytest.raises(ActionCancelledError):
        act("sqlite", "query", {"path": shop, "sql": ENDLESS})
    timer.join()


def test_a_locked_database_is_waited_for_and_then_named(act, shop) -> None:
    with closing(sqlite3.connect(shop)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseFaultError, match="locked by another program") as caught:
            act("sqlite", "query", {"path": shop, "sql": "SELECT 1 FROM item"}, limits=Limits(total_s=0.1))
        assert caught.value.retryable


def test_a_lock_that_goes_away_is_no_fault(act, shop) -> None:
    with closing(sqlite3.connect(shop, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(0.1, other.rollback)
        timer.start()
        assert len(act.output("sqlite", "query", path=shop, sql="SELECT 1 FROM item")) == 2
        timer.join()


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM absent", "no such table: absent"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "parameters do not fit"),
        ("ATTACH 'other.db' AS other", "may not attach"),
    ],
)
def test_sql_that_does_not_work_is_a_sentence(act, shop, sql, part) -> None:
    with pytest.raises(BadParamError) as caught:
        act("sqlite", "query", {"path": shop, "sql": sql})
    assert part in caught.value.sentence


def test_a_broken_rule_of_the_database_is_a_sentence(act, shop) -> None:
    with pytest.raises(DatabaseFaultError, match="UNIQUE constraint failed"):
        act("sqlite", "query", {"path": shop, "sql": "INSERT INTO item (name) VALUES ('tea')", "read_only": False})


def test_a_file_that_is_no_database_or_is_missing_is_a_sentence(act, tmp_path) -> None:
    (tmp_path / "x.db").write_text("this is text, not a database at all" * 50)
    with pytest.raises(BadParamError, match="not a SQLite database"):
        act("sqlite", "query", {"path": str(tmp_path / "x.db"), "sql": "SELECT * FROM sqlite_master"})
    with pytest.raises(NotFoundError, match="There is no database file"):
        act("sqlite", "query", {"path": str(tmp_path / "gone.db"), "sql": "SELECT 1"})
    assert not (tmp_path / "gone.db").exists()


def test_a_new_file_is_made_when_allowed(act, tmp_path) -> None:
    params = {"path": str(tmp_path / "a#b?.db"), "sql": "CREATE TABLE t (a)", "read_only": False, "create": True}
    assert act("sqlite", "query", params).output["changed"] == 0
    assert (tmp_path / "a#b?.db").exists()


def test_half_a_character_pair_is_no_text_for_sqlite(act, shop) -> None:
    for params in ({"sql": "SELECT '\ud800'"}, {"sql": "SELECT ?", "parameters": ["\ud800"]}):
        with pytest.raises(BadParamError, match="half of a character pair"):
            act("sqlite", "query", {"path": shop, **params})
