"""Renders the window into docs/images/, light and dark, after a real run of the first sample plan.

Run by `make screenshots` with QT_QPA_PLATFORM=offscreen. Works on a data folder of its own
and on a free port.
"""

import base64
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PySide6.QtCore import QEventLoop, QThreadPool, QTimer
from PySide6.QtWidgets import QApplication

from flowstudio.app import build
from flowstudio.engine.model import TriggerEvent
from flowstudio.plan.document import read_plan
from flowstudio.plan.edits import SetStepField
from flowstudio.settings import load_settings
from flowstudio.ui.application import open_window
from flowstudio.ui.documents import sample_files
from flowstudio.ui.editor.editor_screen import DATA
from flowstudio.ui.main_window import MainWindow
from flowstudio.ui.tokens import Theme
from flowstudio.workspace.ports import LOCAL_USER

SIZE = (1600, 1000)
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
LIMIT_MS = 30_000
KEY = base64.urlsafe_b64encode(bytes(32)).decode()


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FLOWSTUDIO_DATA_DIR"] = folder
        application = build(replace(load_settings(), data_dir=Path(folder), port=0, encryption_key=KEY))
        try:
            shoot(open_window(application, QApplication([])))
        finally:
            QThreadPool.globalInstance().waitForDone()
            application.close()
    return 0


def shoot(window: MainWindow) -> None:
    window.resize(*SIZE)
    window.show()
    fill_vault(window)
    publish_others(window)
    run_sample(window)
    for theme in (Theme.LIGHT, Theme.DARK):
        window.choose_theme(theme)
        for screen in ("home", "runs", "vault"):
            save(window, screen, f"{screen}-{theme.value}")
        save(window, "editor", f"window-{theme.value}")
        view_run(window)
        save(window, "editor", f"old-run-{theme.value}")
        tab = window.editor.front
        assert tab is not None
        tab.back_to_editing()
    window.close()


def fill_vault(window: MainWindow) -> None:
    """Two credentials, so that the Vault has something to list. The values are nobody's."""
    for provider, fields in (("slack", {"bot_token": "example"}), ("github", {"token": "example"})):
        window.services.credentials.save(LOCAL_USER, provider, fields)
    window.held.reload()


def publish_others(window: MainWindow) -> None:
    """The other samples as published plans, so that Home has more than one row."""
    for sample in list(sample_files().values())[1:]:
        window.services.plans.save_plan(LOCAL_USER, read_plan(sample.read_bytes()))


def run_sample(window: MainWindow) -> None:
    """Opens, publishes and runs the first sample, and selects a step whose data is worth a look."""
    window.documents.open_sample(next(iter(sample_files())))
    tab = window.editor.front
    assert tab is not None
    tab.publish()
    tab.run(TriggerEvent(data={"folder": str(window.services.settings.data_dir)}))
    wait_until(lambda: tab.live_run.end is not None)
    wait_until(lambda: tab.record is not None)
    tab.canvas.zoom_to(0.8)
    tab.canvas.reveal_step(tab.open_plan.plan.steps[0].id)
    window.editor.show_pane(DATA)
    wait_until(lambda: window.editor.data_panel.model.rowCount() > 0)


def view_run(window: MainWindow) -> None:
    """The run as the Runs screen opens it, over a draft that has gone on meanwhile."""
    tab = window.editor.front
    assert tab is not None
    if not tab.open_plan.session.is_dirty:
        tab.open_plan.push(SetStepField(tab.open_plan.plan.steps[1].id, "title", "Keep living scripts"))
    tab.view_run(window.services.runs.get(LOCAL_USER, str(tab.live_run.run_id)), tab.open_plan.plan.steps[2].id)
    wait_until(lambda: tab.shown.live.end is not None)
    pause(300)
    tab.shown.canvas.zoom_to(0.8)
    tab.shown.canvas.reveal_step(tab.open_plan.plan.steps[2].id)


def save(window: MainWindow, screen: str, name: str) -> None:
    window.show_screen(screen)
    pause(400)
    path = IMAGES / f"{name}.png"
    window.grab().save(str(path))
    print(f"docs/images/{path.name}")


def wait_until(is_done: Callable[[], bool]) -> None:
    for _ in range(LIMIT_MS // 50):
        if is_done():
            return
        pause(50)
    raise SystemExit("The window did not come to the expected state in time.")


def pause(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


if __name__ == "__main__":
    raise SystemExit(main())
