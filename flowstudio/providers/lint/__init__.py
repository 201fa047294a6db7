"""Catalogue lint: one module per rule."""
