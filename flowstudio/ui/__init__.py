"""The desktop window: the only Qt."""
