"""No two modules of the engine import each other by any way round, imports for type checking and inside functions included."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.import_graph import cycles, imports

ROOT = Path(__file__).parents[2]


def test_the_engine_has_no_import_cycle() -> None:
    graph = imports(ROOT / "engine")
    assert len(graph) > 100
    assert cycles(graph) == []


@pytest.mark.parametrize(
    "hidden",
    ["from made.low import x", "if TYPE_CHECKING:\n    from made import low", "def f():\n    import made.low"],
    ids=["plain", "types", "inner"],
)
def test_the_proof_can_fail(tmp_path: Path, hidden: str) -> None:
    package = tmp_path / "made"
    package.mkdir()
    for name, text in (("__init__", ""), ("low", "from made.middle import y"), ("middle", "from made import high"), ("high", hidden)):
        (package / f"{name}.py").write_text(text + "\n", "utf-8")
    assert cycles(imports(package)) == [["made.high", "made.low", "made.middle"]]
    (package / "high.py").write_text("import json\n", "utf-8")
    assert cycles(imports(package)) == []
