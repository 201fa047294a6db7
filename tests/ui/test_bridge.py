"""Events from any thread arrive in batches on the GUI thread."""

import threading
from datetime import UTC, datetime

from pytestqt.qtbot import QtBot

from flowstudio.bus import Bus
from flowstudio.engine.events import LogWritten
from flowstudio.ui.bridge import BATCH_LIMIT, Bridge

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def line(number: int) -> LogWritten:
    return LogWritten("r", NOW, "info", str(number))


def test_events_arrive_in_order_and_in_few_batches(qtbot: QtBot) -> None:
    bus = Bus()
    bridge = Bridge(bus)
    batches: list[list[LogWritten]] = []
    bridge.run_events.connect(batches.append)
    publisher = threading.Thread(target=lambda: [bus.publish(line(number)) for number in range(3000)])
    publisher.start()
    publisher.join()
    qtbot.waitUntil(lambda: sum(map(len, batches)) == 3000)
    assert [event.text for batch in batches for event in batch] == [str(number) for number in range(3000)]
    assert len(batches) < 10
    bridge.close()


def test_a_flood_is_split_so_that_the_window_breathes(qtbot: QtBot) -> None:
    bus = Bus()
    bridge = Bridge(bus)
    sizes: list[int] = []
    bridge.run_events.connect(lambda batch: sizes.append(len(batch)))
    for number in range(BATCH_LIMIT * 2 + 1):
        bus.publish(line(number))
    qtbot.waitUntil(lambda: sum(sizes) == BATCH_LIMIT * 2 + 1)
    assert max(sizes) <= BATCH_LIMIT
    bridge.close()


def test_run_events_and_others_go_separate_ways(qtbot: QtBot) -> None:
    bus = Bus()
    bridge = Bridge(bus)
    runs: list[object] = []
    others: list[object] = []
    bridge.run_events.connect(runs.extend)
    bridge.other_events.connect(others.extend)
    bus.publish("saved")
    bus.publish(line(1))
    qtbot.waitUntil(lambda: bool(runs) and bool(others))
    assert others == ["saved"]
    assert runs == [line(1)]
    bridge.close()


def test_a_closed_bridge_is_silent(qtbot: QtBot) -> None:
    bus = Bus()
    bridge = Bridge(bus)
    bridge.close()
    bus.publish("late")
    assert not bridge._waiting
