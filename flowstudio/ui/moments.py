"""Moments as people say them, in this computer's own zone."""

from datetime import datetime


def moment(when: datetime, with_seconds: bool = False) -> str:
    """ "today 14:00", "yesterday 09:12", "3 Mar 09:12"."""
    local, today = when.astimezone(), datetime.now().astimezone().date()
    clock = f"{local:%H:%M:%S}" if with_seconds else f"{local:%H:%M}"
    days = (today - local.date()).days
    day = {0: "today", 1: "yesterday"}.get(days, f"{local.day} {local:%b}")
    return f"{day} {clock}"
