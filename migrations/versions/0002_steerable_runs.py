"""Runs that are steered, called by other runs and waited for; large values in files; lines of the log.

Frozen, like every version: it imports nothing of the program.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CALLED = sa.text("parent_run_id IS NOT NULL")
RESUMABLE = sa.text("resume_key IS NOT NULL")


def upgrade() -> None:
    for name in ("options", "parent_run_id", "parent_step_id", "parent_iteration", "resume_key"):
        op.add_column("execution_logs", sa.Column(name, sa.Text))
    op.add_column("execution_logs", sa.Column("depth", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_index(
        "ix_execution_logs_parent", "execution_logs", ["parent_run_id"], sqlite_where=CALLED, postgresql_where=CALLED
    )
    op.create_index(
        "ix_execution_logs_resume", "execution_logs", ["resume_key"], sqlite_where=RESUMABLE, postgresql_where=RESUMABLE
    )
    _payloads()
    _log_lines()
    _exchanges()


def downgrade() -> None:
    for table in ("exchanges", "run_log_lines", "payload_parts", "payload_uses", "payloads"):
        op.drop_table(table)
    for index in ("ix_execution_logs_resume", "ix_execution_logs_parent"):
        op.drop_index(index, "execution_logs")
    for name in ("depth", "resume_key", "parent_iteration", "parent_step_id", "parent_run_id", "options"):
        op.drop_column("execution_logs", name)


def _payloads() -> None:
    op.create_table(
        "payloads",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "payload_uses",
        sa.Column("hash", sa.Text, sa.ForeignKey("payloads.hash"), nullable=False),
        sa.Column("run_id", sa.Text, sa.ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
        sa.PrimaryKeyConstraint("hash", "run_id"),
    )
    op.create_index("ix_payload_uses_run", "payload_uses", ["run_id"])
    op.create_table(
        "payload_parts",
        sa.Column("hash", sa.Text, sa.ForeignKey("payloads.hash", ondelete="CASCADE"), nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("hash", "part"),
    )


def _log_lines() -> None:
    op.create_table(
        "run_log_lines",
        sa.Column("run_id", sa.Text, sa.ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("step_id", sa.Text),
        sa.Column("iteration", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "sequence"),
    )


def _exchanges() -> None:
    op.create_table(
        "exchanges",
        sa.Column("run_id", sa.Text, sa.ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("step_id", sa.Text, nullable=False),
        sa.Column("iteration", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "at", "step_id", "iteration"),
    )
