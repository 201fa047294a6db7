"""Durable runs in worker threads."""
