"""The first schema: the old service's tables and ours.

Frozen: it spells every column out and imports nothing of the program, which moves on. Times are microseconds since
1970 UTC in BIGINT, JSON is TEXT, so the same statements run on SQLite and PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state NOT IN ('succeeded', 'failed', 'cancelled')")


def upgrade() -> None:
    _installation()
    _plans()
    _triggers()
    _runs()
    _drafts()
    _credentials()
    _integrations()


def downgrade() -> None:
    for table in (
        "custom_integration_credentials",
        "custom_integration_actions",
        "custom_integrations",
        "provider_credentials",
        "plan_edits",
        "plan_drafts",
        "step_runs",
        "execution_logs",
        "plan_revisions",
        "schedules",
        "webhook_routes",
        "execution_plans",
        "meta",
    ):
        op.drop_table(table)


def _text(name: str, *, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=null)


def _time(name: str, *, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False)


def _id() -> sa.Column:
    return sa.Column("id", sa.Text, primary_key=True)


def _installation() -> None:
    op.create_table("meta", sa.Column("key", sa.Text, primary_key=True), _text("value"))


def _plans() -> None:
    op.create_table(
        "execution_plans",
        _id(),
        _text("user_id"),
        _text("name"),
        _text("original_prompt"),
        _text("plan_json"),
        _text("plain_english_steps"),
        _text("required_providers"),
        _text("trigger", null=True),
        _text("status"),
        _flag("enabled"),
        _time("approved_at", null=True),
        _number("revision"),
        _text("extra"),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_index("ix_execution_plans_user", "execution_plans", ["user_id", "created_at"])
    enabled = sa.text("enabled")
    op.create_index(
        "ix_execution_plans_enabled",
        "execution_plans",
        ["created_at"],
        sqlite_where=enabled,
        postgresql_where=enabled,
    )


def _triggers() -> None:
    op.create_table(
        "webhook_routes",
        sa.Column("path", sa.Text, primary_key=True),
        _text("user_id"),
        sa.Column("plan_id", sa.Text, sa.ForeignKey("execution_plans.id", ondelete="CASCADE"), nullable=False),
        _text("trigger_id"),
    )
    op.create_index("ix_webhook_routes_plan", "webhook_routes", ["plan_id"])
    op.create_table(
        "schedules",
        _id(),
        _text("plan_id"),
        _text("user_id"),
        _text("plan_name"),
        _text("cron_expression"),
        _text("timezone"),
        _time("next_fire", null=True),
    )
    op.create_index("ix_schedules_next_fire", "schedules", ["next_fire"])
    op.create_index("ix_schedules_plan", "schedules", ["plan_id"])


def _runs() -> None:
    op.create_table(
        "plan_revisions",
        _text("user_id"),
        _text("hash"),
        _text("document"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("user_id", "hash"),
    )
    op.create_table(
        "execution_logs",
        _id(),
        _text("plan_id"),
        _text("user_id"),
        _text("plan_name"),
        _text("plan_hash", null=True),
        _text("state"),
        _text("status"),
        _text("trigger_kind"),
        _text("trigger_id", null=True),
        _text("trigger_data", null=True),
        _text("output", null=True),
        _text("failure", null=True),
        _text("error_message", null=True),
        _time("created_at"),
        _time("started_at", null=True),
        _time("completed_at", null=True),
        sa.ForeignKeyConstraint(["user_id", "plan_hash"], ["plan_revisions.user_id", "plan_revisions.hash"]),
    )
    op.create_index("ix_execution_logs_user", "execution_logs", ["user_id", "created_at", "id"])
    op.create_index("ix_execution_logs_plan", "execution_logs", ["user_id", "plan_id", "created_at", "id"])
    op.create_index("ix_execution_logs_state", "execution_logs", ["user_id", "state"])
    op.create_index("ix_execution_logs_revision", "execution_logs", ["user_id", "plan_hash"])
    op.create_index(
        "ix_execution_logs_unfinished",
        "execution_logs",
        ["created_at"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    _step_runs()


def _step_runs() -> None:
    op.create_table(
        "step_runs",
        sa.Column("run_id", sa.Text, sa.ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
        _text("step_id"),
        _text("iteration"),
        _text("state"),
        _number("sequence"),
        _number("attempt"),
        _text("ports"),
        _text("output", null=True),
        _text("message"),
        _text("failure", null=True),
        _text("metadata", null=True),
        _time("started_at", null=True),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "step_id", "iteration"),
    )


def _drafts() -> None:
    op.create_table(
        "plan_drafts",
        _text("user_id"),
        _text("plan_id"),
        _text("snapshot"),
        _text("file", null=True),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("user_id", "plan_id"),
    )
    op.create_table(
        "plan_edits",
        _text("user_id"),
        _text("plan_id"),
        _number("sequence"),
        _text("edit"),
        _text("inverse"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("user_id", "plan_id", "sequence"),
        sa.ForeignKeyConstraint(
            ["user_id", "plan_id"], ["plan_drafts.user_id", "plan_drafts.plan_id"], ondelete="CASCADE"
        ),
    )


def _credentials() -> None:
    op.create_table(
        "provider_credentials",
        _id(),
        _text("user_id"),
        _text("provider"),
        _text("name"),
        _text("type"),
        _text("encrypted_value"),
        _time("expires_at", null=True),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint("user_id", "provider", "name", "type", name="uq_provider_credentials"),
    )


def _integrations() -> None:
    op.create_table(
        "custom_integrations",
        _id(),
        _text("user_id"),
        _text("name"),
        _text("display_name"),
        _text("description"),
        _text("auth_type"),
        _text("base_url"),
        _text("auth_header"),
        _text("auth_prefix"),
        _text("oauth_config"),
        _flag("is_active"),
        _time("created_at"),
        _time("updated_at"),
        _text("created_by", null=True),
        _text("updated_by", null=True),
        sa.UniqueConstraint("user_id", "name", name="uq_custom_integrations"),
    )
    op.create_table(
        "custom_integration_actions",
        _id(),
        _integration(),
        _text("action_id"),
        _text("action_name"),
        _text("description"),
        _text("http_method"),
        _text("endpoint"),
        _text("parameters"),
        _text("extra"),
        _number("position"),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint("integration_id", "action_id", name="uq_custom_integration_actions"),
    )
    op.create_table(
        "custom_integration_credentials",
        _id(),
        _text("user_id"),
        _integration(),
        _text("name"),
        _text("credential_type"),
        _text("encrypted_value"),
        _time("token_expires_at", null=True),
        _flag("is_valid"),
        _time("last_validated_at", null=True),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint(
            "user_id", "integration_id", "name", "credential_type", name="uq_custom_integration_credentials"
        ),
    )
    op.create_index(
        "ix_custom_integration_credentials_integration", "custom_integration_credentials", ["integration_id"]
    )


def _integration() -> sa.Column:
    return sa.Column(
        "integration_id", sa.Text, sa.ForeignKey("custom_integrations.id", ondelete="CASCADE"), nullable=False
    )
