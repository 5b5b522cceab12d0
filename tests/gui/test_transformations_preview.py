"""The preview of an attack's transformations beside its form, and success over them during the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from engine.attacks import AdversarialPatch
from engine.stickers import compose
from gui.session.state import AttackSettings
from tests.gui.driving import choose_attack, click, draw, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.panels.attack.transformations import PreviewButton


def button(bench: Workbench) -> PreviewButton:
    found: PreviewButton = bench.window.panels["attack"].preview
    return found


def captions(bench: Workbench) -> list[str]:
    dialog = button(bench).dialog
    assert dialog is not None
    model = dialog.grid.model()
    return [model.index(row, 0).data(Qt.ItemDataRole.DisplayRole) for row in range(model.rowCount())]


def test_the_pictures_of_the_first_step_are_shown_and_follow_the_form(bench: Workbench) -> None:
    session = bench.session
    choose_attack(bench, "PGD")
    assert not button(bench).isVisible()
    choose_attack(bench, "Adversarial patch")
    settle()
    assert button(bench).isVisible()
    click(button(bench))
    dialog = button(bench).dialog
    assert dialog is not None
    until(lambda: dialog.message.text, "the sentence")
    assert dialog.message.text.startswith("There is no sticker whose content is to be optimised.")
    session.change(new_content="optimised")
    draw(bench)
    until(lambda: len(captions(bench)) == AdversarialPatch().samples, "the pictures")
    assert not dialog.message.text
    assert session.clean is not None
    assert session.classifier is not None
    made = compose(session.clean, session.stickers)
    assert made.mask is not None
    pictures = AdversarialPatch().preview(
        made.base[None], made.mask, None if made.content is None else made.content[None], seed=session.plan.seed
    )
    best = session.classifier.score(pictures[:, 0]).argmax(1)
    assert [text.startswith(session.classifier.labels[int(each)]) for text, each in zip(captions(bench), best, strict=True)] == [True] * 32
    label = session.label if session.label is not None else int(session.classifier.predict(session.clean[None])[0])
    assert f" {int((best != label).sum())} of 32 " in dialog.words.text
    session.change(settings=AttackSettings({"samples": 7, "steps": 3, "fresh": 0}))
    until(lambda: len(captions(bench)) == 7, "fewer pictures")
    dialog.close()
    run_attack(bench)
    settle()
    assert "success rate under transformations" in bench.window.panels["attack"].footer.readings.readings.text()
