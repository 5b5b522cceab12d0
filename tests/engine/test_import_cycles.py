"""No two modules of the engine import each other by any way round, imports for type checking and inside functions included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Graph = dict[str, set[str]]


def imports(package: Path) -> Graph:
    """Which modules of a package every module of it names in an import, wherever in the file that stands."""
    files = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in package.rglob("*.py")
    }
    return {name: _named(ast.parse(path.read_text("utf-8")), set(files)) - {name} for name, path in files.items()}


def _named(tree: ast.Module, known: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module}
    return found & known


def cycles(graph: Graph) -> list[list[str]]:
    """Groups of modules that reach each other."""
    reached = {name: _reach(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in reached[name] if name in reached[other])) for name in graph if name in reached[name]}
    return [list(group) for group in sorted(groups)]


def _reach(graph: Graph, name: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[name])
    while todo:
        if (one := todo.pop()) not in seen:
            seen.add(one)
            todo += graph[one]
    return seen


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
