"""Docstrings of a class's fields: the string under each field, read from the source."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
from collections.abc import Iterator


def field_docstrings(owner: type) -> dict[str, str]:
    """Return the strings under the annotated names of a class, by name, without those of its bases. Empty where there is no source.

    Pydantic's ``use_attribute_docstrings`` gives the same, but looks for the class in the source of every module that is importing it: 7 ms
    a class. Here a module is read once, for all of its classes: under 1 ms. There are two differences: two classes of one name in one scope
    (in the branches of an ``if``, say) both get the texts of the later one; and ``model_json_schema`` has none of these texts, since it is
    made before they are set.
    """
    return _of_module(owner.__module__).get(owner.__qualname__, {})


@functools.cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    try:
        source = inspect.getsource(sys.modules[name])
    except (KeyError, OSError, TypeError):  # a class from `exec` or a notebook, or one that was shipped without source
        return {}
    found: dict[str, dict[str, str]] = {}
    _collect(ast.parse(source).body, "", found, {})
    return found


def _collect(block: list[ast.stmt], prefix: str, found: dict[str, dict[str, str]], fields: dict[str, str]) -> None:
    """Collect the field docstrings of this block into ``fields``, and the classes in it into ``found``."""
    fields |= filter(None, itertools.starmap(_documented, itertools.pairwise(block)))
    for node in block:
        if isinstance(node, ast.ClassDef):
            own = found[prefix + node.name] = {}
            _collect(node.body, f"{prefix}{node.name}.", found, own)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _collect(node.body, f"{prefix}{node.name}.<locals>.", found, {})
        else:
            for inner in _blocks(node):
                _collect(inner, prefix, found, fields)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks under an ``if``, ``for``, ``with``, ``try`` or ``match``, which are no scopes of their own."""
    for _, value in ast.iter_fields(node):
        match value:
            case [ast.stmt(), *_]:
                yield value
            case [ast.ExceptHandler() | ast.match_case(), *_]:
                for branch in value:
                    yield from _blocks(branch)


def _documented(field: ast.stmt, text: ast.stmt) -> tuple[str, str] | None:
    match field, text:
        case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
            return name, inspect.cleandoc(words)
    return None
