"""Why a request cannot be met.

StorageError                 storage.failed        the database or the data folder refused (a world fault)
├── DiskFullError            storage.disk_full
├── DatabaseLockedError      storage.locked
├── ReadOnlyError            storage.read_only
└── CorruptDatabaseError     storage.corrupt
WorkspaceError               workspace.error
├── NoSuchPlanError          workspace.no_plan
├── NoSuchRunError           workspace.no_run
├── NoSuchWebhookError       workspace.no_webhook
├── NoSuchIntegrationError   workspace.no_integration
├── WebhookTakenError        workspace.webhook_taken
└── BadRequestError          workspace.bad_request   a field of the request is missing or wrong
"""

from flowstudio.errors import FlowStudioError


class StorageError(FlowStudioError):
    code = "storage.failed"


class DiskFullError(StorageError):
    code = "storage.disk_full"


class DatabaseLockedError(StorageError):
    code = "storage.locked"


class ReadOnlyError(StorageError):
    code = "storage.read_only"


class CorruptDatabaseError(StorageError):
    code = "storage.corrupt"


class WorkspaceError(FlowStudioError):
    code = "workspace.error"


class NoSuchPlanError(WorkspaceError):
    code = "workspace.no_plan"


class NoSuchRunError(WorkspaceError):
    code = "workspace.no_run"


class NoSuchWebhookError(WorkspaceError):
    code = "workspace.no_webhook"


class NoSuchIntegrationError(WorkspaceError):
    code = "workspace.no_integration"


class WebhookTakenError(WorkspaceError):
    code = "workspace.webhook_taken"


class BadRequestError(WorkspaceError):
    code = "workspace.bad_request"
