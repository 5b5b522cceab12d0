"""What the window says: norms as the field writes them, plural forms, and lengths in grey levels."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QComboBox, QLabel

from engine.attacks import CATALOGUE
from engine.parameters import parameters_of
from engine.reproduce import CATALOGUE as EXPERIMENTS
from engine.text.formatting import in_grey_levels, named_norms
from gui.choosers.attacks import description
from tests.gui.driving import draw, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench

RAW = re.compile(r"\b([Ll]_?inf|l[012])\b|``|input should be|[a-z]_[a-z]")
"""Norms as the code writes them, markup, the validation library's words, and names of fields."""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("The norm: linf or l2.", "The norm: L∞ or L2."),
        ("Carlini & Wagner Linf", "Carlini & Wagner L∞"),
        ("in l1, l0 and L_inf", "in L1, L0 and L∞"),
        ("l2_norm of all2 small linfo", "l2_norm of all2 small linfo"),
    ],
)
def test_norms_are_written_as_in_the_field(code: str, words: str) -> None:
    assert named_norms(code) == words


@pytest.mark.parametrize("operation", [*CATALOGUE.values(), *EXPERIMENTS.values()], ids=lambda operation: operation.slug)
def test_forms_speak_of_norms_as_the_field_does(operation: type) -> None:
    for field in parameters_of(operation).values():
        for text in (field.title, field.none_text, *field.choice_titles):
            assert not RAW.search(text), (field.name, text)
        assert not re.search(r"\b([Ll]_?inf|l[012])\b", field.tip), field.tip
    for title in (operation.title, *(preset.title for preset in getattr(operation, "presets", ()))):  # type: ignore[attr-defined]
        assert not RAW.search(title), title
    assert not re.search(r"\b([Ll]_?inf|l[012])\b|`", description(operation)), inspect.getdoc(operation)


@pytest.mark.parametrize(
    ("eps", "words"),
    [
        (8, "In grey levels write 8/255."),
        (2.5, "In grey levels write 2.5/255."),
        (255, "In grey levels 255 is the whole range already: write 8/255, say."),
        (300 / 255, "That is 300/255, and grey levels end at 255: write 8/255, say."),
        (1000 / 255, "That is 1000/255, and grey levels end at 255: write 8/255, say."),
    ],
)
def test_a_length_beyond_the_range_is_answered_as_it_was_meant(eps: float, words: str) -> None:
    assert in_grey_levels(eps) == words


def test_two_sizes_of_one_run_say_what_each_is_of(bench: Workbench) -> None:
    """The Prediction dock measures against the clean image, Runs against the image with its stickers."""
    from dataclasses import replace

    from engine.stickers import Colour
    from gui.session.attack_verdict import summary_line
    from gui.session.run_facts import run_facts

    session = bench.session
    draw(bench)
    session.commit_stickers((replace(session.stickers[0], content=Colour((1.0, 1.0, 0.0))),), "Colour")
    session.change(**session.plan.choosing("pgd"))
    run_attack(bench)
    settle()
    tiles = {tile.name: tile for tile in bench.window.panels["prediction"].view.figures.figures}
    assert "counts the stickers" in tiles["L∞"].tip
    (entry,) = session.history.entries
    figures = run_facts(entry).figures  # type: ignore[arg-type]
    assert figures["measured from"] == "the clean image with its stickers"
    assert figures["L∞"].startswith("0.0314")
    assert " from the clean image with its stickers, " in summary_line(entry)  # type: ignore[arg-type]
    assert bench.window.panels["prediction"].view.measured.text == "From the clean image, stickers counted"
    assert run_facts(entry).outcome.startswith("clean, with stickers: ")  # type: ignore[arg-type]
    assert all("with stickers" in form for form in run_facts(entry).lines[1])  # type: ignore[arg-type]
    session.commit_stickers((), "Clear")
    run_attack(bench)
    until(lambda: bench.window.panels["prediction"].painted is session.frame, "the frame")
    assert run_facts(session.history.entries[-1]).figures["measured from"] == "the clean image"
    assert " from the clean image, " in summary_line(session.history.entries[-1])  # type: ignore[arg-type]
    assert bench.window.panels["prediction"].view.measured.text == "From the clean image"


def test_nothing_on_the_screen_has_the_code_s_names(bench: Workbench) -> None:
    """Every label and every choice of the window, with each attack set up in turn."""
    found: set[str] = set()
    for slug in CATALOGUE:
        bench.session.change(**bench.session.plan.choosing(slug))
        for _ in range(4):
            settle()
        texts = [label.text() for label in bench.window.panels["attack"].findChildren(QLabel)]
        texts += [box.itemText(place) for box in bench.window.panels["attack"].findChildren(QComboBox) for place in range(box.count())]
        found |= {text for text in texts if re.search(r"\b([Ll]_?inf|l[012])\b|input should be", text)}
    assert found == set()
