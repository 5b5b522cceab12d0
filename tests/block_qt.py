"""A pytest plugin that makes Qt impossible to import: ``pytest tests/engine -p no:pytest-qt -p tests.block_qt``.

Every test function runs once, with its first parameters: whether the engine needs Qt does not depend on an attack's eps, and the whole
suite runs all of them.
"""

from __future__ import annotations

import importlib.abc
import sys
from typing import Any

import pytest

BLOCKED = {"PySide6", "shiboken6", "pyqtgraph", "qtawesome", "gui"}


class _Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} must not be imported by the engine or its tests.")


sys.meta_path.insert(0, _Blocker())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first parameters of every test function."""
    first: dict[str, pytest.Item] = {}
    for item in items:
        first.setdefault(item.nodeid.partition("[")[0], item)
    left_out = [item for item in items if first[item.nodeid.partition("[")[0]] is not item]
    config.hook.pytest_deselected(items=left_out)
    items[:] = first.values()
