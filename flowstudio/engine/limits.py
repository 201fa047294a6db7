"""How much the engine may do at once, and how patient it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """threads: steps at work at once over all runs, on threads that are started when needed; what waits holds none.

    queue_rows: results that may await the disk before the runs that make them are slowed down.
    batch_rows: most results in one transaction.
    locked_patience_s: how long the journal tries again while another program holds the database.
    grace_s: how long a step may take to come back after it was cancelled or timed out, before it is given up.
    programs: compiled plans kept.
    """

    threads: int = 128
    queue_rows: int = 4096
    batch_rows: int = 512
    locked_patience_s: float = 15.0
    grace_s: float = 1.0
    programs: int = 128
