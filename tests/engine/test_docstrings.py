"""Fields are described by the strings under them, and all docstrings are sentences in the words of the glossary."""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import Field

from engine import attacks
from engine.docstrings import field_docstrings


class _Base:
    steps: int = 40
    """How many.

    As in the paper.
    """
    seed: int = 0
    kind = "a"
    """Not annotated: no field."""

    class Inner:
        eps: float = 0.1
        """Radius."""


def test_the_string_under_a_field_is_its_docstring_and_nothing_else_is() -> None:
    assert field_docstrings(_Base) == {"steps": "How many.\n\nAs in the paper."}
    assert field_docstrings(_Base.Inner) == {"eps": "Radius."}


def test_a_class_of_a_function_is_found_and_one_without_source_has_none() -> None:
    class Local:
        eps: float = 0.1
        """Another radius."""

    assert field_docstrings(Local) == {"eps": "Another radius."}
    assert field_docstrings(type("Made", (), {"__module__": "nowhere"})) == {}


if sys.version_info:

    class _Under:
        eps: float = 0.1
        """Radius under an if."""
        if sys.platform:
            steps: int = 40
            """Steps under another."""


def test_what_stands_under_an_if_a_try_or_a_with_is_found() -> None:
    try:
        raise KeyError
    except KeyError:
        with contextlib.suppress(ValueError):

            class Deep:
                eps: float = 0.1
                """Radius in a handler."""

    assert field_docstrings(_Under) == {"eps": "Radius under an if.", "steps": "Steps under another."}
    assert field_docstrings(Deep) == {"eps": "Radius in a handler."}


def test_a_description_that_is_given_stays() -> None:
    class Own(attacks.PGD):
        steps: int = Field(3, description="Given.")
        """Standing under it."""

    assert Own.model_fields["steps"].description == "Given."


def test_every_parameter_of_every_attack_is_described_inherited_ones_too() -> None:
    fields = [(slug, name, info) for slug, kind in attacks.CATALOGUE.items() for name, info in kind.model_fields.items()]
    bare = [f"{slug}.{name}" for slug, name, info in fields if not info.description]
    assert not bare


def test_a_subclass_may_describe_a_parameter_anew() -> None:
    class Own(attacks.PGD):
        steps: int = 3
        """Three will do."""

    assert Own.model_fields["steps"].description == "Three will do."
    assert attacks.PGD.model_fields["steps"].description != "Three will do."
    assert Own.model_fields["eps"].description == attacks.PGD.model_fields["eps"].description


ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
NO_SENTENCE = ("Of", "What", "As")
"""First words of docstrings that need the name to be read first."""
WORDS_OF_A_SENTENCE = 6
WORDS_OF_AN_ATTRIBUTE = 3
"""A noun with its unit or shape: “Number of steps.”"""
LEFT_IN_THE_WINDOW = {"openings": 0, "roles": 0, "avoided": 0}
"""Docstrings of the window that are still to be reworded. These numbers may only fall."""


class Docstring(NamedTuple):
    """A docstring of a module, class, function or attribute, with its place and dotted name."""

    place: str
    name: str
    is_attribute: bool
    text: str

    @property
    def is_public(self) -> bool:
        """Whether no part of the name is private."""
        return not re.search(r"(^|\.)_(?!_)", self.name)


def _string(node: ast.stmt) -> str | None:
    is_string = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return node.value.value if is_string else None  # type: ignore[attr-defined]


def _docstrings_in(node: ast.AST, name: str, path: str) -> Iterator[Docstring]:
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := _string(body[0])) is not None:
            yield Docstring(f"{path}:{body[0].lineno}", name, False, text)
        for field, under in pairwise(body):
            if isinstance(field, ast.Assign | ast.AnnAssign) and (text := _string(under)) is not None:
                target = field.target if isinstance(field, ast.AnnAssign) else field.targets[0]
                yield Docstring(f"{path}:{under.lineno}", f"{name}.{ast.unparse(target)}", True, text)
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef) else name
        yield from _docstrings_in(child, inner, path)


@cache
def _docstrings(package: str) -> list[Docstring]:
    """All docstrings of a package, read without importing it."""
    found: list[Docstring] = []
    for file in sorted((ROOT / package).rglob("*.py")):
        path = file.relative_to(ROOT)
        name = ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")
        found += _docstrings_in(ast.parse(file.read_text(encoding="utf-8")), name, path.as_posix())
    return found


def _avoided() -> list[str]:
    """The words in code font in the glossary's lists of words to avoid."""
    lists = re.findall(r"Avoid:(.*?)(?=\n- |\n\n|\Z)", GLOSSARY, re.DOTALL)
    return [word for words in lists for word in re.findall(r"`([^`]+)`", words)]


def _faults(docstrings: list[Docstring]) -> dict[str, list[str]]:
    """Places of docstrings that are no sentences, that hold Sphinx roles, or that hold words to avoid."""
    avoided = re.compile(r"\b(" + "|".join(map(re.escape, _avoided())) + r")\b")
    faults: dict[str, list[str]] = {"openings": [], "roles": [], "avoided": []}
    for doc in docstrings:
        text = " ".join(doc.text.split())
        if text.startswith(tuple(f"{word} " for word in NO_SENTENCE)):
            faults["openings"].append(f"{doc.place} {text[:60]}")
        if re.search(r":\w+:`", text):
            faults["roles"].append(doc.place)
        faults["avoided"] += [f"{doc.place} “{word}”" for word in avoided.findall(text)]
    return faults


def test_the_glossary_names_words_to_avoid_and_they_are_found() -> None:
    assert {"victim", "in the place of", "outlier"} <= set(_avoided())
    doc = Docstring("here:1", "name", False, "What stands in the\nplace of :func:`name`.")
    assert _faults([doc]) == {
        "openings": ["here:1 What stands in the place of :func:`name`."],
        "roles": ["here:1"],
        "avoided": ["here:1 “in the place of”"],
    }


def test_docstrings_of_modules_classes_functions_and_attributes_are_found() -> None:
    source = '''
"""M."""
class _C:
    """C."""
    x: int
    """X."""
    def f(self):
        self.y = 0
        """Y."""
z = 1
"""Z."""
'''
    found = [(doc.name, doc.text, doc.is_attribute, doc.is_public) for doc in _docstrings_in(ast.parse(source), "m", "m.py")]
    expected = [("m", "M.", 0, 1), ("m.z", "Z.", 1, 1), ("m._C", "C.", 0, 0), ("m._C.x", "X.", 1, 0), ("m._C.f.self.y", "Y.", 1, 0)]
    assert found == expected


@pytest.mark.parametrize("kind", ["openings", "roles", "avoided"])
def test_docstrings_of_the_engine_are_sentences_in_the_words_of_the_glossary(kind: str) -> None:
    assert _faults(_docstrings("engine"))[kind] == []


@pytest.mark.parametrize("kind", ["openings", "roles", "avoided"])
def test_docstrings_of_the_window_get_no_worse(kind: str) -> None:
    faults = _faults(_docstrings("gui"))[kind]
    assert len(faults) <= LEFT_IN_THE_WINDOW[kind], faults


def test_docstrings_of_public_names_of_the_engine_say_more_than_the_name() -> None:
    public = [doc for doc in _docstrings("engine") if doc.is_public]
    least = {False: WORDS_OF_A_SENTENCE, True: WORDS_OF_AN_ATTRIBUTE}
    assert [f"{doc.place} {doc.text}" for doc in public if len(doc.text.split()) < least[doc.is_attribute]] == []
