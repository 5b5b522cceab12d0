"""The list of attacks: by what they know, by family and norm, found by paper, preset and address; a form and a description each."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from engine.attacks import CATALOGUE
from gui.choosers.attacks import ACCESS
from tests.gui.panel_scenes import show
from tests.gui.seen import named

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


def test_every_attack_stands_once_under_what_it_knows(attack_panel: AttackDock) -> None:
    tree = attack_panel.catalogue.tree
    found = {}
    for group in attack_panel.groups:
        for i in range(group.childCount()):
            found[group.child(i).data(0, Qt.ItemDataRole.UserRole).value] = group.text(0)
    assert found == {slug: ACCESS[attack.access()] for slug, attack in CATALOGUE.items()}
    assert tree.topLevelItem(0).text(0) == ACCESS["white box"]  # type: ignore[union-attr]


def test_families_stand_together(attack_panel: AttackDock) -> None:
    for group in attack_panel.groups:
        families = [group.child(i).text(1) for i in range(group.childCount())]
        changes = sum(one != other for one, other in itertools.pairwise(families))
        assert changes == len(set(families)) - 1


@pytest.mark.parametrize("norm", ["linf", "l2", "l1", "l0"])
def test_a_norm_filters(qtbot: QtBot, attack_panel: AttackDock, norm: str) -> None:
    qtbot.mouseClick(attack_panel.chooser, Qt.MouseButton.LeftButton)
    filters = attack_panel.catalogue.norms
    qtbot.mouseClick(filters.buttons[norm], Qt.MouseButton.LeftButton)
    assert set(attack_panel.catalogue.shown) == {slug for slug, attack in CATALOGUE.items() if norm in attack.norms}
    assert attack_panel.catalogue.shown
    attack_panel.chooser.popup.hide()
    qtbot.mouseClick(attack_panel.chooser, Qt.MouseButton.LeftButton)
    assert set(attack_panel.catalogue.shown) == set(CATALOGUE)  # opened anew, it shows all
    attack_panel.chooser.popup.hide()


@pytest.mark.parametrize("words", ["nobody", "9901.00001", "1999", "probe universal", "labels only PROBE"])
def test_an_attack_is_found_by_paper_family_and_knowledge(qtbot: QtBot, attack_panel: AttackDock, words: str) -> None:
    qtbot.mouseClick(attack_panel.chooser, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(attack_panel.catalogue.search, words)
    assert attack_panel.catalogue.shown == ["probe"]
    qtbot.keyClicks(attack_panel.catalogue.search, " nothing at all")
    assert attack_panel.catalogue.shown == []
    assert named(attack_panel.catalogue, QLabel, "No attack is found by these words and this norm.").isVisible()
    attack_panel.chooser.popup.hide()


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("momentum", "mi-fgsm"),
        ("arXiv:1706.06083", "pgd"),
        ("https://arxiv.org/abs/1706.06083v4", "pgd"),
        ("https://arxiv.org/pdf/1706.06083.pdf", "pgd"),
        ("27 colours", "one-pixel-map"),
    ],
)
def test_an_attack_is_found_by_a_preset_and_by_an_arxiv_address(qtbot: QtBot, attack_panel: AttackDock, words: str, slug: str) -> None:
    attack_panel.catalogue.search.setText(words)
    assert slug in attack_panel.catalogue.shown
    assert len(attack_panel.catalogue.shown) < len(CATALOGUE) // 2


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("C&W", "cw-l2"),
        ("c&w linf", "cw-linf"),
        ("cw", "cw-l2"),
        ("one pixel", "one-pixel"),
        ("FGM", "fgsm"),
        ("jacobian", "jsma"),
        ("evolution", "one-pixel"),
        ("adversarial patch", "adversarial-patch"),
        ("targeted", "proximity"),
        ("fool", "deepfool"),
        ("hop skip", "hop-skip-jump"),
        ("square", "square"),
        ("uap", "universal"),
        ("carlini", "cw-l2"),
    ],
)
def test_what_fits_best_stands_first(attack_panel: AttackDock, words: str, slug: str) -> None:
    attack_panel.catalogue.search.setText(words)
    assert attack_panel.catalogue.shown[0] == slug
    attack_panel.catalogue.search.clear()
    listed = [group.child(i).data(0, Qt.ItemDataRole.UserRole).value for group in attack_panel.groups for i in range(group.childCount())]
    assert listed[0] == "fgsm"  # in the order of the catalogue again
    assert attack_panel.catalogue.shown == listed


@pytest.mark.parametrize("norm", ["L0", "l1", "L2", "linf", "L∞"])
def test_the_name_of_a_norm_finds_every_attack_with_it(attack_panel: AttackDock, norm: str) -> None:
    attack_panel.catalogue.search.setText(norm)
    name = {"l∞": "linf"}.get(norm.casefold(), norm.casefold())
    assert {slug for slug, attack in CATALOGUE.items() if name in attack.norms} <= set(attack_panel.catalogue.shown)


def test_targeted_and_untargeted_find_what_can_be_run_so(attack_panel: AttackDock) -> None:
    attack_panel.catalogue.search.setText("targeted")
    assert {slug for slug, attack in CATALOGUE.items() if "targets" in attack.uses} <= set(attack_panel.catalogue.shown)
    assert "universal" not in attack_panel.catalogue.shown
    attack_panel.catalogue.search.setText("untargeted")
    assert "pgd" in attack_panel.catalogue.shown
    assert "proximity" not in attack_panel.catalogue.shown


def test_a_search_keeps_the_chosen_attack(attack_panel: AttackDock, session: Session) -> None:
    attack_panel.choose("pgd")
    attack_panel.catalogue.search.setText("one pixel")
    attack_panel.catalogue.search.clear()
    assert session.plan.slug == "pgd"
    assert attack_panel.catalogue.tree.currentItem().data(0, Qt.ItemDataRole.UserRole).value == "pgd"


@pytest.mark.parametrize("slug", list(CATALOGUE))
def test_every_attack_has_a_form_and_a_description(attack_panel: AttackDock, slug: str) -> None:
    attack_panel.choose(slug)
    assert attack_panel.attack == CATALOGUE[slug]()
    assert len(attack_panel.description) > 20
    assert attack_panel.set_up.minimumSizeHint().width() <= 300


@pytest.mark.parametrize("dark", [False, True])
def test_the_chosen_norm_stands_out(qtbot: QtBot, dark: bool) -> None:
    from gui import theme
    from gui.choosers.attacks import NormFilter

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette()
    app.setPalette(theme.palette(dark))  # as the window does: the style sheet names roles of the application's palette
    try:
        norms = NormFilter()
        norms.setStyleSheet(theme.STYLE_SHEET)
        show(qtbot, norms, 300, 40)
        chosen = norms.buttons[""]
        ground = chosen.grab().toImage().pixelColor(4, chosen.height() // 2)
    finally:
        app.setPalette(before)
    assert ground == theme.palette(dark).accent().color()
    assert theme.contrast_ratio(ground, theme.palette(dark).window().color()) > 3
