"""The program in a process that is there to be killed: it keeps some runs at work and answers what is interrupted.

Forked from a server that has the modules loaded, so that two hundred of its lives fit into some minutes.
"""

import itertools
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flowstudio import app
from flowstudio.engine.model import Answer, RunState
from flowstudio.plan.document import loads
from flowstudio.settings import load_settings
from flowstudio.workspace.ports import LOCAL_USER

OPEN = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING, RunState.PAUSED)
LOOK_S = 0.05


def live(data_dir: str, document: str, answers: str, load: int, life: int, is_last: bool, at_work: Any) -> None:
    """Keeps `load` runs at work until killed; in its last life until every run has ended.

    at_work: an event, set when it is worth killing.
    """
    os.environ["FLOWSTUDIO_DATA_DIR"] = data_dir
    application = app.build(load_settings())
    application.start()
    runs, rng, pause = application.services.runs, random.Random(life), threading.Event()
    plan, numbers = loads(document), itertools.count()
    with Path(answers).open("a", buffering=1, encoding="utf-8") as told, ThreadPoolExecutor(8) as starters:
        while True:
            asking = answer_all(runs, rng, told)
            going = asking + sum(len(runs.list(LOCAL_USER, None, load, state)) for state in OPEN)
            if is_last and not going:
                break
            if not is_last:
                new = [f"life{life}-{next(numbers)}" for _ in range(load - going)]
                list(starters.map(lambda run_id: runs.start(LOCAL_USER, plan, run_id=run_id), new))
            at_work.set()
            pause.wait(LOOK_S)
    application.close()


def answer_all(runs: Any, rng: random.Random, told: Any) -> int:
    """Answers every question at random; how many runs had some. What is to be sent again is told beforehand."""
    interrupted = runs.list(LOCAL_USER, None, 1000, RunState.INTERRUPTED)
    for run in interrupted:
        assert run.failure is not None, "an interrupted run has a reason"
        assert run.failure.step_id, run.failure
        for row in runs.questions(LOCAL_USER, run.id):
            answer = rng.choice((Answer.RETRY, Answer.DONE))
            told.write(f"{answer.value} {run.id}:{row.step_id}:{'.'.join(map(str, row.iteration))}\n")
            runs.answer(LOCAL_USER, run.id, answer, row.step_id, row.iteration, "by hand")
    return len(interrupted)
