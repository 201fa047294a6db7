"""The root of every error FlowStudio shows to a person.

FlowStudioError
├── PlanError              plan.*        the plan itself is not legal (flowstudio.plan)
├── ExpressionError        expression.*  a {{ }} expression cannot be compiled or read (flowstudio.plan.expression)
├── EngineError            engine.*      a run cannot start, go on or be steered (flowstudio.engine.errors)
├── ProviderError          provider.*    an action failed or cannot be called (flowstudio.providers.errors)
├── VaultError             vault.*       a secret cannot be read or written (flowstudio.vault.errors)
├── ScheduleError          schedule.*    a schedule is not legal (flowstudio.scheduling.errors)
├── StorageError           storage.*     the database or a file refused (flowstudio.workspace.errors)
├── SettingsError          settings.*    a setting in file or environment cannot be used (flowstudio.settings)
├── ServingError           cli.*         the FlowStudio that serves the data folder refused (flowstudio.cli.serving)
└── WorkspaceError         workspace.*   a request cannot be met (flowstudio.workspace.errors)

Each class carries a stable dotted `code`; each instance a sentence for the person in front of the screen, without
secrets, and the fix to try. Stored as code + sentence + facts, never pickled.
"""

from collections.abc import Mapping
from typing import ClassVar


class FlowStudioError(Exception):
    """What happened, in one sentence, and what to do about it.

    sentence: plain words, no secret, ends with a full stop.
    fix: what the person can do, one sentence, may be empty.
    facts: JSON-ready details (a field name, a line number, a status code).
    """

    code: ClassVar[str] = "flowstudio.error"

    def __init__(self, sentence: str, *, fix: str = "", facts: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix
        self.facts: Mapping[str, object] = dict(facts or {})

    def __str__(self) -> str:
        return f"{self.sentence} {self.fix}".strip()
