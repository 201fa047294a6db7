"""Use cases: all that a user, a client or a script can ask for."""
