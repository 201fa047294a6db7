"""The language of plans: pure values and pure functions. No I/O, threads, clock or random."""
