"""docs/providers.md, followed to the letter: its file loads, and its action sends what the page says."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from flowstudio.providers import lint
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.registry import Registry

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def test_a_provider_is_one_file(
    tmp_path: Path, call_of: Callable, credentials_of: Callable, recorder_of: Callable, answer_of: Callable
) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert example is not None
    (tmp_path / "tasks_example.yaml").write_text(example[1], "utf-8")
    manifests, problems = load_catalog(tmp_path)
    assert problems == []
    assert lint.check(manifests) == []

    registry, sender = Registry(manifests), recorder_of(answer_of('{"data": {"id": 7}}'))
    stored = credentials_of({("tasks_example", None): {"api_key": "tk_123", "region": "eu"}})
    dispatcher = Dispatcher(lambda user: registry, stored, sender, {})
    params = {"list_id": "a/b", "name": "Milk"}
    result = dispatcher.invoke(call_of(provider="old_tasks", action="new_task", params=params))

    assert result.output == {"id": 7}
    [call] = sender.calls
    assert (call.method, call.url) == ("POST", "https://eu.tasks.example/v1/lists/a%2Fb/tasks")
    assert json.loads(call.body or b"") == {"name": "Milk"}
    assert call.headers["Authorization"] == "Bearer tk_123"
    assert call.headers["Idempotency-Key"] == "run-1:step"
