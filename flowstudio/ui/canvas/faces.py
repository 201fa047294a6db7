"""What a card says: pure, from a step and its manifest. The painter adds only where and how large."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from flowstudio.plan.model import OnError, Step
from flowstudio.providers.manifest import Action, Category, Manifest

HasCredential = Callable[[str, str | None], bool]
"""Whether the user has a credential for a provider, of that name or (None) at all."""

BADGE_LIMIT = 4
PIN_TIP = "Its output is pinned: runs started by hand use that instead of doing the step."


class Catalogue(Protocol):
    """What the canvas reads of the registry."""

    def provider(self, name: str) -> Manifest | None: ...

    def find(self, provider: str, action: str) -> Action | None: ...


class Look(IntEnum):
    """A card's state in the run that is shown."""

    IDLE = 0
    QUEUED = 1
    RUNNING = 2
    OK = 3
    FAILED = 4
    SKIPPED = 5
    WAITING = 6
    CANCELLED = 7


WORDS = {
    Look.IDLE: "",
    Look.QUEUED: "queued",
    Look.RUNNING: "running",
    Look.OK: "ok",
    Look.FAILED: "failed",
    Look.SKIPPED: "skipped",
    Look.WAITING: "waiting",
    Look.CANCELLED: "stopped",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A small mark on a card. icon is a glyph name, text an optional number or word, token its colour."""

    icon: str
    text: str = ""
    token: str = "text_2"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """The words and marks of one card. is_known is False for a step no manifest describes: a placeholder."""

    title: str
    subtitle: str
    icon: str
    initials_of: str
    category: Category
    badges: tuple[Badge, ...]
    is_known: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """What is true of a step besides itself. differs: the draft has it otherwise; breaks: runs pause before it."""

    differs: bool = False
    is_pinned: bool = False
    breaks: bool = False


UNMARKED = Marks()


def face_of(step: Step, catalogue: Catalogue, has_credential: HasCredential, marks: Marks = UNMARKED) -> Face:
    manifest = catalogue.provider(step.provider)
    action = catalogue.find(step.provider, step.action)
    if manifest is None or action is None:
        return Face(
            title=step.title or step.action,
            subtitle=f"Unknown: {step.provider}.{step.action}",
            icon="ph.puzzle-piece",
            initials_of=step.provider,
            category=manifest.category if manifest else Category.LOGIC,
            badges=_badges(step, False, marks),
            is_known=False,
            is_disabled=step.disabled,
        )
    needs = manifest.auth.is_needed and not has_credential(step.provider, step.credential)
    return Face(
        title=step.title or action.title,
        subtitle=f"{manifest.title} · {action.title}" if step.title else manifest.title,
        icon=action.icon or manifest.icon,
        initials_of=manifest.title,
        category=manifest.category,
        badges=_badges(step, needs, marks),
        is_known=True,
        is_disabled=step.disabled,
    )


def _badges(step: Step, needs_credential: bool, marks: Marks) -> tuple[Badge, ...]:
    every = []
    if marks.differs:
        every.append(Badge("", "~", "warning", "The draft has this step otherwise."))
    if marks.breaks:
        every.append(Badge("ph.record-fill", "", "error", "Breakpoint: runs from this window pause before it."))
    if marks.is_pinned:
        every.append(Badge("ph.push-pin-fill", "", "pinned", PIN_TIP))
    if needs_credential:
        every.append(Badge("key", "", "warning", "This step needs a credential."))
    if step.retry.tries > 1:
        every.append(Badge("ph.arrows-clockwise", str(step.retry.tries), tip=f"Tries up to {step.retry.tries} times."))
    if step.on_error is OnError.BRANCH:
        every.append(Badge("ph.git-branch", tip="A failure leaves by the error port."))
    elif step.on_error is OnError.CONTINUE:
        every.append(Badge("ph.skip-forward", tip="The run continues after a failure."))
    if step.notes:
        every.append(Badge("ph.note", tip="Has notes."))
    if step.disabled:
        every.append(Badge("ph.prohibit", "off", tip="Disabled: runs pass over it."))
    if len(every) > BADGE_LIMIT:
        hidden = len(every) - BADGE_LIMIT
        every = [*every[:BADGE_LIMIT], Badge("", f"+{hidden}")]
    return tuple(every)


def count_text(count: int) -> str:
    """A number short enough for a card: 118, 1.2k, 34k, 2.1M."""
    if count < 1000:
        return str(count)
    for limit, divisor, unit in ((10_000, 1000, "k"), (1_000_000, 1000, "k"), (10_000_000, 1_000_000, "M")):
        if count < limit:
            digits = 1 if limit in (10_000, 10_000_000) else 0
            return f"{count / divisor:.{digits}f}{unit}"
    return f"{count / 1_000_000:.0f}M"


def duration_text(duration_ms: float) -> str:
    """4 ms, 0.8 s, 34 s, 2 min 5 s."""
    if duration_ms < 100:
        return f"{duration_ms:.0f} ms"
    seconds = duration_ms / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
