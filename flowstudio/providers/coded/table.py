"""The one table of actions that need code. An action of a manifest without a `request` must stand here."""

from collections.abc import Mapping
from typing import Final

from flowstudio.providers.coded import feeds, sqlite
from flowstudio.providers.coded.ai import actions as ai
from flowstudio.providers.coded.files import reading, writing
from flowstudio.providers.coded.logic import actions as logic
from flowstudio.providers.coded.mail import action as mail
from flowstudio.providers.coded.python_code import action as python_code
from flowstudio.providers.ports import CodedAction

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
    ("rss", "parse_feed"): feeds.parse_feed,
    ("files", "read"): reading.read,
    ("files", "list"): reading.list_folder,
    ("files", "write"): writing.write,
    ("files", "copy"): writing.copy,
    ("files", "move"): writing.move,
    ("files", "delete"): writing.delete,
    ("sqlite", "query"): sqlite.query,
    ("smtp", "send_email"): mail.send_email,
    ("python_code", "run"): python_code.run,
    ("openai", "chat_completion"): ai.openai_chat,
    ("groq", "chat_completion"): ai.groq_chat,
}
