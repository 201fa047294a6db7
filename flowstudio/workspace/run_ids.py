"""Ids of runs: UUIDs that begin with the time, so that the rows of one moment lie side by side in every index."""

import random
from time import time_ns


def new_run_id() -> str:
    """A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds since 1970, then 74 bits of chance.

    Random ids spread a batch of ten runs over as many pages of each index, which costs a third of its transaction.
    """
    moment = f"{time_ns() // 1_000_000:012x}"
    chance = random.randbytes(10).hex()  # noqa: S311 - an id is no secret; the system's own chance is a system call
    variant = "89ab"[int(chance[3], 16) & 3]
    return f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"
