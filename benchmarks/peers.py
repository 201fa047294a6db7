"""What other programs need for the same work: measured beside us where one is installed, else as measured before.

The figures come from one machine with two cores (Debian 12), medians of three: n8n 2.41 (SQLite, history on; with its
default and its older expression engine), Node-RED 5 (keeps no history), Prefect 3, DBOS and Temporal.
"""

from collections.abc import Mapping
from functools import cache

from benchmarks import node_red
from benchmarks.report import number

FIGURES: Mapping[str, str] = {
    "webhook-10, 1": "n8n 14 / 37, Node-RED 1,723",
    "webhook-10, 10": "n8n 19 / 51, Node-RED 4,290",
    "webhook-10, 50": "n8n 17 / 40, Node-RED 4,794",
    "webhook-10, p99": "n8n 720 / 287, Node-RED 7",
    "loop-1000": "n8n 1.88 / 0.38-0.59, Node-RED 0.037, Prefect 0.6",
    "100-concurrent": "n8n 5.0 / 2.5, Node-RED 0.47",
    "start": "n8n 2.6-4.1, Node-RED 0.9, Prefect 10.9",
    "memory": "n8n 553-872, Node-RED 133, Prefect 223",
    "durable steps": "DBOS 275-442, Temporal 28-50",
}


def beside(work: str) -> str:
    """The peers' figures in the unit of the row they stand beside."""
    measured = _measured()
    here = f"Node-RED {number(measured[work])} here" if work in measured else ""
    return "; ".join(each for each in (here, f"{FIGURES[work]} (measured before)") if each)


@cache
def _measured() -> Mapping[str, float]:
    """Of what is installed, in the same run: at the first question."""
    return node_red.measure() if node_red.is_installed() else {}
