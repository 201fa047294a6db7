"""The Editor screen: tabs of open plans, the docks around them, and the run under way."""
