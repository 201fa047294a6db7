"""Plans as files: the `.flow` documents and old arrays that the acceptance tests hand to the faces."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

Document = dict[str, Any]


def step(step_id: str, provider: str, action: str, /, **keys: Any) -> Document:
    """A step document; keys that are not a step's own are its params."""
    own = {"title", "parent", "on_error", "retry", "timeout_s", "credential", "disabled", "x", "y"}
    document = {"id": step_id, "provider": provider, "action": action}
    document |= {key: value for key, value in keys.items() if key in own}
    return document | {"params": {key: value for key, value in keys.items() if key not in own}}


def flow(name: str, steps: list[Document], *wires: str, **keys: Any) -> Document:
    """A `.flow` document; a wire is written "source.port > target", port `out` when left out."""
    return {"flowstudio": 1, "id": name, "name": name, "steps": steps, "edges": [_edge(each) for each in wires], **keys}


def _edge(wire: str) -> Document:
    source, target = wire.split(" > ")
    name, _, port = source.partition(".")
    return {"source": name, "port": port or "out", "target": target}


def chain(name: str, *steps: Document, **keys: Any) -> Document:
    """Steps one after the other."""
    wires = [f"{a['id']} > {b['id']}" for a, b in pairwise(steps)]
    return flow(name, list(steps), *wires, **keys)


def old_plan(name: str, *steps: Document, **keys: Any) -> Document:
    """A plan as the old service's clients send it."""
    numbered = [{"order": order, **each} for order, each in enumerate(steps, 1)]
    return {"name": name, "plan_json": numbered, **keys}


def old_step(provider: str, action_id: str, /, **params: Any) -> Document:
    return {"provider": provider, "action_id": action_id, "params": params}


def save(folder: Path, document: Any, name: str = "plan.flow") -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return str(path)
