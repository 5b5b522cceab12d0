"""Which modules of a package import which, imports for type checking and inside functions included; and which go round."""

from __future__ import annotations

import ast
from pathlib import Path

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
