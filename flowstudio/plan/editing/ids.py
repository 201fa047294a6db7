"""Ids for new steps: a slug of what is wanted, and a counter where it is taken."""

import re
import unicodedata
from collections.abc import Container

from flowstudio.plan.model import Plan, StepId

_LONGEST = 40


def slug(wanted: str) -> str:
    """Small letters, digits and _; starts with a letter: "Send e-mail!" gives "send_e_mail"."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST].rstrip("_")
    if not text:
        return "step"
    return text if text[0].isalpha() else f"step_{text}"


def fresh_id(plan: Plan, wanted: str) -> StepId:
    """A step id not yet in the plan, as close to `wanted` as its shape allows. Also avoids ids of `ordinals`,
    which old references still count."""
    return unused({step.id for step in plan.steps} | set(plan.ordinals), wanted)


def unused(taken: Container[str], wanted: str) -> StepId:
    """The slug of wanted, or with the first free counter from 2: "fetch_2"."""
    stem = slug(wanted)
    if stem not in taken:
        return stem
    stem = re.sub(r"_\d+$", "", stem)
    count = 2
    while f"{stem}_{count}" in taken:
        count += 1
    return f"{stem}_{count}"
