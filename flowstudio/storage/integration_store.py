"""Users' own integrations in the old service's tables.

oauth_config is kept whole and an action's unknown keys in `extra`, so that nothing a client sent is lost; base_url and
its like stand beside oauth_config in the old columns, for other programs.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, delete, select

from flowstudio.plan.model import Json
from flowstudio.storage.database import Database
from flowstudio.storage.tables import custom_integration_actions, custom_integrations
from flowstudio.workspace.errors import NoSuchIntegrationError
from flowstudio.workspace.ports import Integration

COLUMN_OF = {
    "id": "action_id",
    "name": "action_name",
    "description": "description",
    "method": "http_method",
    "endpoint": "endpoint",
    "params": "parameters",
}
"""An action's key in the wire contract -> its column."""


class SqlIntegrationStore:
    """workspace.ports.IntegrationStore. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, integration: Integration) -> None:
        """Inserts or replaces, actions included, in one transaction. Credentials and created_at stay.

        Raises NoSuchIntegrationError when the id is another user's.
        """
        row = _row(integration)
        insert = self._database.insert(custom_integrations).values(row)
        fixed = ("id", "user_id", "created_at", "created_by")
        changed = {name: insert.excluded[name] for name in row if name not in fixed}
        mine = custom_integrations.c.user_id == integration.user_id
        upsert = insert.on_conflict_do_update(index_elements=["id"], set_=changed, where=mine)
        with self._database.begin(integration.user_id) as connection:
            if not connection.execute(upsert).rowcount:
                raise NoSuchIntegrationError("Integration not found")
            self._replace_actions(connection, integration)

    def get(self, user_id: str, integration_id: str) -> Integration | None:
        return next(iter(self._find(user_id, id=integration_id)), None)

    def list(self, user_id: str) -> Sequence[Integration]:
        """Oldest first."""
        return self._find(user_id)

    def delete(self, user_id: str, integration_id: str) -> bool:
        """Takes actions and credentials along."""
        mine = {"user_id": user_id, "id": integration_id}
        with self._database.begin(user_id) as connection:
            return bool(connection.execute(delete(custom_integrations).filter_by(**mine)).rowcount)

    def _replace_actions(self, connection: Connection, integration: Integration) -> None:
        connection.execute(delete(custom_integration_actions).filter_by(integration_id=integration.id))
        rows = [_action_row(integration, place, action) for place, action in enumerate(integration.actions)]
        if rows:
            connection.execute(self._database.insert(custom_integration_actions), rows)

    def _find(self, user_id: str, **which: str) -> Sequence[Integration]:
        integrations, actions = custom_integrations.c, custom_integration_actions.c
        wanted = select(custom_integrations).filter_by(user_id=user_id, **which)
        with self._database.reading(user_id) as connection:
            rows = connection.execute(wanted.order_by(integrations.created_at, integrations.id)).mappings().all()
            ids = [row["id"] for row in rows]
            query = select(custom_integration_actions).where(actions.integration_id.in_(ids)).order_by(actions.position)
            found = connection.execute(query).mappings().all()
        return [_integration(row, [each for each in found if each["integration_id"] == row["id"]]) for row in rows]


def _row(integration: Integration) -> dict[str, Any]:
    config = integration.oauth_config
    return {
        "id": integration.id,
        "user_id": integration.user_id,
        "name": integration.name,
        "display_name": integration.display_name,
        "description": integration.description,
        "auth_type": integration.auth_type,
        "base_url": str(config.get("base_url", "")),
        "auth_header": str(config.get("auth_header", "Authorization")),
        "auth_prefix": str(config.get("auth_prefix", "Bearer")),
        "oauth_config": config,
        "is_active": True,
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
        "created_by": integration.user_id,
        "updated_by": integration.user_id,
    }


def _action_row(integration: Integration, place: int, action: Mapping[str, Json]) -> dict[str, Any]:
    known = {
        "action_id": str(action.get("id", "")),
        "action_name": str(action.get("name", "")),
        "description": str(action.get("description", "")),
        "http_method": str(action.get("method", "POST")),
        "endpoint": str(action.get("endpoint", "")),
        "parameters": action.get("params", []),
    }
    return known | {
        "id": str(uuid4()),
        "integration_id": integration.id,
        "position": place,
        "extra": {key: value for key, value in action.items() if key not in COLUMN_OF},
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
    }


def _integration(row: RowMapping, actions: Sequence[RowMapping]) -> Integration:
    return Integration(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        display_name=row["display_name"],
        description=row["description"],
        auth_type=row["auth_type"],
        oauth_config=row["oauth_config"],
        actions=tuple({key: each[column] for key, column in COLUMN_OF.items()} | each["extra"] for each in actions),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
