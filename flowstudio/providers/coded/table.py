"""The one table of actions that need code. An action of a manifest without a `request` must stand here."""

from collections.abc import Mapping
from typing import Final

from flowstudio.providers.coded import sqlite
from flowstudio.providers.coded.ai import actions as ai
from flowstudio.providers.coded.files import reading, writing
from flowstudio.providers.coded.logic import actions as logic
from flowstudio.providers.coded.python_code import action as python_code
from flowstudio.providers.ports import ActionContext, CodedAction
from flowstudio.providers.result import ProviderResult


def _parse_feed(ctx: ActionContext) -> ProviderResult:
    from flowstudio.providers.coded.feeds import parse_feed  # here: its XML readers are slow to import

    return parse_feed(ctx)


def _send_email(ctx: ActionContext) -> ProviderResult:
    from flowstudio.providers.coded.mail.action import send_email  # here: smtplib and email are slow to import

    return send_email(ctx)


CODED: Final[Mapping[tuple[str, str], CodedAction]] = {
    ("logic", "transform"): logic.transform,
    ("logic", "set_fields"): logic.set_fields,
    ("logic", "filter"): logic.filter_items,
    ("logic", "sort"): logic.sort,
    ("logic", "aggregate"): logic.aggregate,
    ("logic", "dedupe"): logic.dedupe,
    ("logic", "limit"): logic.limit,
    ("logic", "match"): logic.match,
    ("logic", "split"): logic.split,
    ("logic", "join"): logic.join,
    ("rss", "parse_feed"): _parse_feed,
    ("files", "read"): reading.read,
    ("files", "list"): reading.list_folder,
    ("files", "write"): writing.write,
    ("files", "copy"): writing.copy,
    ("files", "move"): writing.move,
    ("files", "delete"): writing.delete,
    ("sqlite", "query"): sqlite.query,
    ("smtp", "send_email"): _send_email,
    ("python_code", "run"): python_code.run,
    ("openai", "chat_completion"): ai.openai_chat,
    ("groq", "chat_completion"): ai.groq_chat,
}
