"""What a lint rule reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LintProblem:
    """key is like actions.post_message.fields.channel; rule is the name of the rule's module."""

    provider: str
    key: str
    sentence: str
    rule: str

    def __str__(self) -> str:
        return f"{self.provider}, {self.key}: {self.sentence} [{self.rule}]"
