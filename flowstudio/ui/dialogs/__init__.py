"""Dialogs and message sheets."""
