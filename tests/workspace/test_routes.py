from datetime import UTC, datetime

import pytest

from flowstudio.workspace.ports import PlanStamp, WebhookRoute
from flowstudio.workspace.routes import KNOWN, KNOWN_S, Routes

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def monotonic(self) -> float:
        return self.time


class Store:
    """Knows who owns which path, and counts how often it is asked."""

    def __init__(self) -> None:
        self.owners = {"orders": "p1"}
        self.asked: list[str] = []

    def webhook(self, path: str) -> WebhookRoute | None:
        self.asked.append(path)
        owner = self.owners.get(path)
        return None if owner is None else WebhookRoute(path, PlanStamp("local", owner, 1, NOW), "hook")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def routes(store: Store, clock: Clock) -> Routes:
    return Routes(store, clock)


def owner(routes: Routes, path: str = "orders") -> str | None:
    route = routes.find(path)
    return None if route is None else route.plan.plan_id


def test_a_busy_path_is_asked_for_once(store: Store, routes: Routes) -> None:
    assert [owner(routes) for _ in range(10)] == ["p1"] * 10
    assert store.asked == ["orders"]


def test_another_process_s_change_is_seen_a_moment_later(store: Store, routes: Routes, clock: Clock) -> None:
    owner(routes)
    store.owners["orders"] = "p2"
    clock.time += KNOWN_S
    assert owner(routes) == "p2"


def test_a_change_in_this_process_is_seen_at_once(store: Store, routes: Routes) -> None:
    owner(routes)
    del store.owners["orders"]
    routes.forget(object())
    assert owner(routes) is None


def test_what_was_asked_for_before_a_change_is_not_known_after_it(store: Store, routes: Routes) -> None:
    ask = store.webhook

    def change_meanwhile(path: str) -> WebhookRoute | None:
        found = ask(path)
        store.owners["orders"] = "p2"
        routes.forget(object())
        return found

    store.webhook = change_meanwhile
    owner(routes)
    store.webhook = ask
    assert owner(routes) == "p2"


def test_a_path_nobody_owns_is_not_remembered(store: Store, routes: Routes) -> None:
    assert owner(routes, "refunds") is None
    store.owners["refunds"] = "p3"
    assert owner(routes, "refunds") == "p3"


def test_only_so_many_paths_are_known(store: Store, routes: Routes) -> None:
    store.owners = {f"path{number}": "p1" for number in range(KNOWN + 1)}
    for path in store.owners:
        owner(routes, path)
    store.asked.clear()
    owner(routes, f"path{KNOWN}")
    owner(routes, "path0")
    assert store.asked == ["path0"]
