"""What starts by the clock: cronsim computes the instant, APScheduler waits for it."""
