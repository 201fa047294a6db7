"""The window is tested offscreen, with real mouse and key events."""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QEvent, QThreadPool
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from flowstudio import paths
from flowstudio.bus import Bus
from flowstudio.plan.model import Plan
from flowstudio.plan.rules import check_plan
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.registry import Registry
from flowstudio.settings import Settings
from flowstudio.ui.application import open_window
from flowstudio.ui.bridge import Bridge
from flowstudio.ui.icons import Icons
from flowstudio.ui.main_window import MainWindow
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import LIGHT
from flowstudio.workspace.edit_session import EditSession
from flowstudio.workspace.ports import LOCAL_USER, JournaledEdit
from flowstudio.workspace.services import Services

VAULT_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
DESKTOP = (1440, 900)
"""The window's size on a usual screen; the offscreen one is 800 by 800."""


class MemoryJournal:
    """Keeps edits in a list."""

    def __init__(self) -> None:
        self.edits: list[JournaledEdit] = []

    def append(self, user_id: str, plan_id: str, edit: JournaledEdit) -> None:
        self.edits.append(edit)

    def snapshot(self, user_id: str, plan: Plan, file: str | None) -> None:
        self.edits.clear()

    def discard(self, user_id: str, plan_id: str) -> None:
        self.edits.clear()


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The real catalogue."""
    manifests, problems = load_catalog(paths.catalog())
    return Registry(manifests, problems)


@pytest.fixture
def icons(qapp: QApplication) -> Icons:
    return Icons(LIGHT)


@pytest.fixture
def open_plan(qapp: QApplication, registry: Registry) -> Iterator[Callable[[Plan], OpenPlan]]:
    """Opens a plan over a journal in memory; its events come through a real bus and bridge."""
    bus = Bus()
    bridge = Bridge(bus)
    plans = SimpleNamespace(check=lambda user_id, plan: check_plan(plan, registry), list=lambda user_id: [])
    services = cast(
        Services, SimpleNamespace(plans=plans, credentials=SimpleNamespace(list=lambda user_id: []), bus=bus)
    )
    opened: list[OpenPlan] = []

    def make(plan: Plan) -> OpenPlan:
        session = EditSession(LOCAL_USER, plan, MemoryJournal(), bus.publish)
        made = OpenPlan(session, services)
        bridge.other_events.connect(lambda events: [made.take(event) for event in events])
        opened.append(made)
        return made

    yield make
    bridge.close()
    QThreadPool.globalInstance().waitForDone()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings(data_dir=tmp_path / "data"), port=0, encryption_key=VAULT_KEY)


@pytest.fixture
def application(settings: Settings) -> Iterator[Any]:
    """The whole product on a folder of its own."""
    from flowstudio.app import build

    built = build(settings)
    yield built
    QThreadPool.globalInstance().waitForDone()
    built.close()


@pytest.fixture
def open_it(application: Any, qapp: QApplication, qtbot: QtBot) -> Iterator[Callable[[], MainWindow]]:
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        window = open_window(application, qapp)
        windows.append(window)
        window.resize(*DESKTOP)
        window.show()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: window._address != "")
        return window

    yield make
    qapp.setStyleSheet("")
    for window in windows:
        window.close()
        window.appearance.deleteLater()
        window.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def window(open_it: Callable[[], MainWindow]) -> MainWindow:
    return open_it()
