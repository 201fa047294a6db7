"""Tells PostgreSQL whose transaction this is, for its row policies."""

from sqlalchemy import Connection


def enter(connection: Connection, user_id: str | None) -> None:
    """Sets app.user_id for this transaction alone: a session's setting would leak to the pool's next user."""
    if user_id is not None and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('app.user_id', %s, true)", (user_id,))
