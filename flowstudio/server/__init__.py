"""The embedded HTTP server: the legacy REST API and webhooks, over the same services the window uses."""
