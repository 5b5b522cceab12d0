"""A pytest plugin that makes Qt impossible to import: ``pytest tests/engine -p no:pytest-qt -p tests.block_qt``."""

from __future__ import annotations

import importlib.abc
import sys
from typing import Any

BLOCKED = {"PySide6", "shiboken6", "pyqtgraph", "qtawesome", "gui"}


class _Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} must not be imported by the engine or its tests.")


sys.meta_path.insert(0, _Blocker())
