"""The user's own Python, in a process of its own."""
