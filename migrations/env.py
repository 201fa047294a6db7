"""Alembic's environment: runs the versions on the connection that flowstudio.storage hands over."""

from alembic import context
from sqlalchemy.engine import Connection


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection, target_metadata=None, render_as_batch=True, transaction_per_migration=False
    )
    with context.begin_transaction():
        context.run_migrations()


run()
