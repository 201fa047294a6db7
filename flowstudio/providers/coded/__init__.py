"""Actions that need code: one explicit table."""
