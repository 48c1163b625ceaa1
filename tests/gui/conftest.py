"""Widgets are tested without a screen, unless the caller names one."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
