"""The window is tested offscreen, with real mouse and key events."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
