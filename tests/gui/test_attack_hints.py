"""What the Attack dock says before a run that would come to little: it keeps nothing from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.attacks import CATALOGUE
from gui.panels.attack.start_image import begin_at
from tests.gui.panel_scenes import LABELS, noise, open_image, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.panels.attack import AttackPanel
    from gui.session.session import Session


def use_preset(panel: AttackPanel, slug: str, title: str) -> None:
    panel.choose(slug)
    next(action for action in panel._presets.menu().actions() if action.text() == title).trigger()


def says_hint(panel: AttackPanel, words: str) -> bool:
    return words in panel._message.text and panel._message.kind == "hint" and panel._run.isEnabled()


def test_a_start_image_of_the_own_class_is_told_before_the_run(qtbot: QtBot, attack_panel: AttackPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert session.frame is not None
    assert session.classifier is not None
    own = session.frame.observation.clean_prediction
    attack_panel.choose("hop-skip-jump")
    assert attack_panel._message.text == ""
    attack_panel._goal.start._put(begin_at(noise(), session.classifier, "same"))
    assert says_hint(attack_panel, "the image's own class")
    assert LABELS[own] in attack_panel._message.text
    other = (own + 1) % len(LABELS)
    session.set_label(other)
    assert attack_panel._message.text == ""  # of another class than the true one, after all
    session.set_target(own)
    assert attack_panel._message.text == ""  # it begins where it wants to go
    session.set_target((own + 2) % len(LABELS))
    assert says_hint(attack_panel, "not for the target")
    attack_panel.choose("pgd")
    assert attack_panel._message.text == ""  # takes no start


def test_a_preset_that_wants_a_target_asks_for_it(qtbot: QtBot, attack_panel: AttackPanel, session: Session) -> None:
    wanting = [(slug, preset.title) for slug, attack in CATALOGUE.items() for preset in attack.presets if "targets" in preset.needs]
    assert len(wanting) >= 2
    open_image(qtbot, session)
    attack_panel.activateWindow()
    for slug, title in wanting:
        session.set_target(None)
        attack_panel._run.setFocus()
        use_preset(attack_panel, slug, title)
        assert says_hint(attack_panel, "choose a target")
        assert attack_panel._goal.target.isAncestorOf(attack_panel.focusWidget()) or attack_panel._goal.target is attack_panel.focusWidget()
        assert session.frame is not None
        session.set_target((session.frame.observation.clean_prediction + 1) % len(LABELS))
        assert attack_panel._message.text == ""
    session.set_target(None)
    attack_panel._reset.click()
    assert attack_panel._message.text == ""


def test_the_usual_eps_of_colour_images_is_told_on_digits(qtbot: QtBot, attack_panel: AttackPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack_panel.choose("fgsm")
    assert attack_panel._message.text == ""
    open_image(qtbot, session, small(channels=1))
    assert says_hint(attack_panel, "0.1 to 0.3 is; see Presets")
    attack_panel._form.set_values({"eps": 0.05})
    assert attack_panel._message.text == ""  # somebody has chosen it
    attack_panel._form.reset()
    attack_panel._form.set_values({"norm": "l2"})
    assert attack_panel._message.text == ""
    attack_panel.choose("deepfool")
    assert attack_panel._message.text == ""
