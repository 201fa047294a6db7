"""Run as a process to be killed: an engine whose every step notes in a ledger that it was executed.

Arguments: database file, ledger file, number of runs. Ends by itself once all runs have ended.
"""

import os
import sys

from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Json, Plan
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import Functions, Workbench, new_run, plan, step


def main(database_file: str, ledger_file: str, runs: int) -> None:
    ledger = os.open(ledger_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(call: Invocation) -> Json:
        os.write(ledger, f"{call.run_id} {call.step_id} {'.'.join(map(str, call.iteration))}\n".encode())
        call.cancel.wait(0.001)
        return call.params.get("value")

    database = Database(f"sqlite:///{database_file}", "NORMAL")
    database.upgrade()
    bench = Workbench(SqlRunStore(database), Functions(echo=note))
    bench.engine.recover()
    for number in range(runs):
        bench.engine.submit(new_run(ledger_plan(), f"r{number}"))
    for number in range(runs):
        bench.engine.wait(f"r{number}", 30.0)
    bench.engine.close()


def ledger_plan() -> Plan:
    return plan(
        step("a", params={"value": list(range(12))}),
        step("b", params={"value": "{{ steps.a.output }}"}),
        step("l", "flow.loop", {"items": "{{ steps.b.output }}", "parallel": 3}),
        step("w", params={"value": "{{ item }}"}, parent="l"),
        step("x", params={"value": "{{ steps.w.output }}"}, parent="l"),
        step("c", params={"value": "{{ steps.l.output.results }}"}),
        step("side"),
        step("wait", "wait.duration", {"seconds": 0.05}),
        step("d", params={"value": "{{ steps.c.output }}"}),
        edges="a > b, b > l, l.body > w, w > x, l.done > c, a > side, side > wait, wait > d, c > d",
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
