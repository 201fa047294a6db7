"""Secrets: encrypted at rest, decrypted for the length of one call."""
