"""No two modules of the window import each other by any way round, imports for type checking and inside functions included."""

from __future__ import annotations

from pathlib import Path

import gui
from tests.import_graph import cycles, imports


def test_the_window_has_no_import_cycle() -> None:
    graph = imports(Path(gui.__file__).parent)
    assert len(graph) > 100
    assert cycles(graph) == []
