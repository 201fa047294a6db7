"""All tables, as the stores speak to them. migrations/ makes them; a test holds the two together.

Names and columns the old service had keep their names and meaning: execution_plans, execution_logs (a row a run),
provider_credentials, custom_integrations, custom_integration_actions, custom_integration_credentials. Ids are text,
times integers, JSON text: see columns.py and json_codec.py for why.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from flowstudio.storage.columns import Instant, Json, PlainText

metadata = MetaData()

UNFINISHED = "state NOT IN ('succeeded', 'failed', 'cancelled')"
"""The same words stand in the partial index and in the query, or the database will not use the one for the other."""

CALLED = "parent_run_id IS NOT NULL"
RESUMABLE = "resume_key IS NOT NULL"

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

execution_plans = Table(
    "execution_plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("original_prompt", PlainText, nullable=False),
    Column("plan_json", Json, nullable=False),
    Column("plain_english_steps", Json, nullable=False),
    Column("required_providers", Json, nullable=False),
    Column("trigger", Json),
    Column("status", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("approved_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("extra", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_execution_plans_user", "user_id", "created_at"),
    Index("ix_execution_plans_enabled", "created_at", sqlite_where=text("enabled"), postgresql_where=text("enabled")),
)

webhook_routes = Table(
    "webhook_routes",
    metadata,
    Column("path", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("plan_id", Text, ForeignKey("execution_plans.id", ondelete="CASCADE"), nullable=False),
    Column("trigger_id", Text, nullable=False),
    Index("ix_webhook_routes_plan", "plan_id"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("plan_name", PlainText, nullable=False),
    Column("cron_expression", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("next_fire", Instant),
    Index("ix_schedules_next_fire", "next_fire"),
    Index("ix_schedules_plan", "plan_id"),
)

plan_revisions = Table(
    "plan_revisions",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "hash"),
)
"""What runs execute, once for each distinct document: a thousand runs of one plan do not hold it a thousand times."""

execution_logs = Table(
    "execution_logs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("plan_name", PlainText, nullable=False),
    Column("plan_hash", Text),
    Column("state", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("trigger_kind", Text, nullable=False),
    Column("trigger_id", Text),
    Column("trigger_data", Text),
    Column("output", Text),
    Column("failure", Json),
    Column("error_message", PlainText),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("options", Json),
    Column("parent_run_id", Text),
    Column("parent_step_id", Text),
    Column("parent_iteration", Text),
    Column("depth", Integer, nullable=False, server_default=text("0")),
    Column("resume_key", Text),
    ForeignKeyConstraint(["user_id", "plan_hash"], ["plan_revisions.user_id", "plan_revisions.hash"]),
    Index("ix_execution_logs_user", "user_id", "created_at", "id"),
    Index("ix_execution_logs_plan", "user_id", "plan_id", "created_at", "id"),
    Index("ix_execution_logs_state", "user_id", "state"),
    Index("ix_execution_logs_revision", "user_id", "plan_hash"),
    Index(
        "ix_execution_logs_unfinished", "created_at", sqlite_where=text(UNFINISHED), postgresql_where=text(UNFINISHED)
    ),
    Index("ix_execution_logs_parent", "parent_run_id", sqlite_where=text(CALLED), postgresql_where=text(CALLED)),
    Index("ix_execution_logs_resume", "resume_key", sqlite_where=text(RESUMABLE), postgresql_where=text(RESUMABLE)),
)
"""A row a run. status is the old service's word for state; output is what the run answers.

trigger_data and output are JSON as json_codec writes it, with the large parts in files.
"""

step_runs = Table(
    "step_runs",
    metadata,
    Column("run_id", Text, ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
    Column("step_id", Text, nullable=False),
    Column("iteration", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("ports", Json, nullable=False),
    Column("output", Text),
    Column("message", PlainText, nullable=False),
    Column("failure", Json),
    Column("metadata", Json),
    Column("started_at", Instant),
    Column("duration_ms", Float, nullable=False),
    PrimaryKeyConstraint("run_id", "step_id", "iteration"),
)
"""The journal: a row a step and iteration. iteration is "3.0" for (3, 0), "" at the top level.

output is JSON as json_codec writes it, with the large parts in files.
"""

payloads = Table(
    "payloads",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
)
"""A row a file of the payload store. hash: SHA-256 of the content, hexadecimal; size: bytes."""

payload_uses = Table(
    "payload_uses",
    metadata,
    Column("hash", Text, ForeignKey("payloads.hash"), nullable=False),
    Column("run_id", Text, ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("hash", "run_id"),
    Index("ix_payload_uses_run", "run_id"),
)
"""Which runs hold on to which file."""

payload_parts = Table(
    "payload_parts",
    metadata,
    Column("hash", Text, ForeignKey("payloads.hash", ondelete="CASCADE"), nullable=False),
    Column("part", Text, nullable=False),
    PrimaryKeyConstraint("hash", "part"),
)
"""Which files the content of a file refers to. What no run and no used file holds may go."""

run_log_lines = Table(
    "run_log_lines",
    metadata,
    Column("run_id", Text, ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("level", Text, nullable=False),
    Column("step_id", Text),
    Column("iteration", Text, nullable=False),
    Column("text", PlainText, nullable=False),
    PrimaryKeyConstraint("run_id", "sequence"),
)
"""What steps and the engine told of a run, in the order it was told. level: debug, info, warning, error."""

exchanges = Table(
    "exchanges",
    metadata,
    Column("run_id", Text, ForeignKey("execution_logs.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("step_id", Text, nullable=False),
    Column("iteration", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("document", Json, nullable=False),
    PrimaryKeyConstraint("run_id", "at", "step_id", "iteration"),
)
"""What steps said to servers and heard from them; apart from step_runs, whose readers need none of it."""

plan_drafts = Table(
    "plan_drafts",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("snapshot", Json, nullable=False),
    Column("file", PlainText),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "plan_id"),
)

plan_edits = Table(
    "plan_edits",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("edit", Json, nullable=False),
    Column("inverse", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("user_id", "plan_id", "sequence"),
    ForeignKeyConstraint(["user_id", "plan_id"], ["plan_drafts.user_id", "plan_drafts.plan_id"], ondelete="CASCADE"),
)

provider_credentials = Table(
    "provider_credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("encrypted_value", Text, nullable=False),
    Column("expires_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("user_id", "provider", "name", "type", name="uq_provider_credentials"),
)

custom_integrations = Table(
    "custom_integrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("display_name", PlainText, nullable=False),
    Column("description", PlainText, nullable=False),
    Column("auth_type", Text, nullable=False),
    Column("base_url", PlainText, nullable=False),
    Column("auth_header", PlainText, nullable=False),
    Column("auth_prefix", PlainText, nullable=False),
    Column("oauth_config", Json, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("created_by", Text),
    Column("updated_by", Text),
    UniqueConstraint("user_id", "name", name="uq_custom_integrations"),
)

custom_integration_actions = Table(
    "custom_integration_actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("integration_id", Text, ForeignKey("custom_integrations.id", ondelete="CASCADE"), nullable=False),
    Column("action_id", Text, nullable=False),
    Column("action_name", PlainText, nullable=False),
    Column("description", PlainText, nullable=False),
    Column("http_method", Text, nullable=False),
    Column("endpoint", PlainText, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("extra", Json, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("integration_id", "action_id", name="uq_custom_integration_actions"),
)

custom_integration_credentials = Table(
    "custom_integration_credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("integration_id", Text, ForeignKey("custom_integrations.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("credential_type", Text, nullable=False),
    Column("encrypted_value", Text, nullable=False),
    Column("token_expires_at", Instant),
    Column("is_valid", Boolean, nullable=False),
    Column("last_validated_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("user_id", "integration_id", "name", "credential_type", name="uq_custom_integration_credentials"),
    Index("ix_custom_integration_credentials_integration", "integration_id"),
)
