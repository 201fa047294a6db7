"""A bad manifest is skipped, and every fault says file, line and key."""

import time
from importlib.resources import files
from pathlib import Path

import pytest

from flowstudio.providers.loader import load_catalog, load_manifest
from flowstudio.providers.manifest import BodyKind, Effect, FieldKind

GOOD = """\
id: tasks
title: Tasks
category: data
icon: fa5s.tasks
base_url: https://tasks.test/
answer: {error: problem}
auth: {kind: bearer, fields: [{name: api_key}]}
actions:
  - id: add
    title: Add
    fields:
      - {name: list_id, required: true}
      - {name: state, kind: choice, choices: [open, {value: done, title: Finished}]}
    request:
      method: POST
      path: /lists/{list_id}
      json: {state: "{state}"}
  - id: read
    title: Read
    request: {method: GET, path: /all}
    answer: {error: other, output: items}
"""


def problems_of(text: str) -> list[tuple[int, str, str]]:
    manifest, problems = load_manifest(text, "tasks.yaml")
    assert manifest is None
    assert all(problem.file == "tasks.yaml" for problem in problems)
    return [(problem.line, problem.key, problem.sentence) for problem in problems]


def test_a_good_file_becomes_a_manifest() -> None:
    manifest, problems = load_manifest(GOOD, "tasks.yaml")
    assert problems == []
    assert manifest is not None
    add, read = manifest.actions
    assert manifest.base_url == "https://tasks.test"
    assert (manifest.auth.prefix, manifest.auth.fields[0].title) == ("Bearer", "Api key")
    assert (add.effect, read.effect) == (Effect.WRITE, Effect.READ)
    assert (add.answer.error, read.answer.error, read.answer.output) == ("problem", "other", "items")
    assert add.fields[0].title == "List id"
    assert add.fields[1].kind is FieldKind.CHOICE
    assert [(choice.value, choice.title) for choice in add.fields[1].choices] == [
        ("open", "open"),
        ("done", "Finished"),
    ]
    assert add.request is not None
    assert add.request.body_kind is BodyKind.JSON


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Tasks\n", "titel: Tasks\n", (1, "", "The key “title” is missing.")),
        ("title: Tasks\n", "title: Tasks\ntitel: x\n", (3, "titel", "There is no key “titel”. Did you mean “title”?")),
        ("title: Tasks", "title: 5", (2, "title", "5 is not possible here; it has to be a text (put it in quotes).")),
        ("category: data", "category: date", (3, "category", "“date” is not possible here; it can be 'trigger', ")),
        ("required: true}", "required: sometimes}", (12, "actions[0].fields[0].required", "sometimes is not possible")),
        ("kind: choice,", "knd: choice,", (13, "actions[0].fields[1].knd", "Did you mean “kind”?")),
        ("method: POST", "method: post", (15, "actions[0].request.method", "a method in capitals")),
        ("/lists/{list_id}", "/lists/{listid}", (16, "actions[0].request.path", "Did you mean {list_id}?")),
        ("{list_id}", "{list_id:slug}", (16, "actions[0].request.path", "{list_id:slug} is not known")),
        ("id: read", "id: add", (8, "actions", "Two of these have the same action name “add”.")),
        ("id: tasks", "id: Tasks", (1, "id", "lower-case letters, digits and _")),
        ("title: Read", "title: ''", (19, "actions[1].title", "This must not be empty.")),
        ("base_url: https://tasks.test/\n", "", (15, "actions[0].request.path", "an absolute address")),
        ("title: Tasks", "title: Tasks\ntitle: T", (3, "title", "The key “title” stands here twice.")),
        ("title: Tasks", "title: [Tasks", (3, "", "This is not valid YAML")),
    ],
)
def test_a_fault_names_line_and_key(old: str, new: str, expected: tuple[int, str, str]) -> None:
    assert GOOD.count(old) >= 1
    found = problems_of(GOOD.replace(old, new, 1))
    assert any((line, key) == expected[:2] and expected[2] in sentence for line, key, sentence in found), found


def test_all_faults_of_a_file_are_told() -> None:
    text = GOOD.replace("title: Tasks", "title: 5").replace("category: data", "category: x").replace("POST", "post")
    assert [line for line, _, _ in problems_of(text)] == [2, 3, 15]


@pytest.mark.parametrize("text", ["", "- a", "just text", "a: b: c", "\x00"])
def test_what_is_no_manifest_is_a_problem(text: str) -> None:
    assert problems_of(text)


def test_scalars_other_than_json_stay_text() -> None:
    manifest, problems = load_manifest(GOOD.replace("title: Tasks", "title: 2024-01-01"), "tasks.yaml")
    assert problems == []
    assert manifest is not None
    assert manifest.title == "2024-01-01"


def test_a_bad_file_does_not_hide_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: [")
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "notes.txt").write_text("no manifest")
    manifests, problems = load_catalog(tmp_path)
    assert [manifest.id for manifest in manifests] == ["tasks"]
    assert [problem.file for problem in problems] == ["a.yaml", "c.yaml"]
    assert str(problems[0]).startswith("a.yaml, line 1")


def test_the_catalogue_loads_quickly() -> None:
    started = time.perf_counter()
    load_catalog(files("flowstudio.providers") / "catalog")
    assert time.perf_counter() - started < 0.3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)), "anchor"),
        ("a: &a [*a]", "anchor"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: " + "[" * 200 + "]" * 200, "nested too deeply"),
    ],
)
def test_a_file_made_to_fill_memory_is_a_fault_like_any_other(text: str, sentence: str) -> None:
    manifest, (problem,) = load_manifest(text, "bomb.yaml")
    assert manifest is None
    assert sentence in problem.sentence
