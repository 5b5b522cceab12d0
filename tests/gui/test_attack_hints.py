"""What the Attack dock says before a run that would come to little: it keeps nothing from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.attacks import CATALOGUE
from gui.session.start_image import start_image
from tests.gui.panel_scenes import LABELS, noise, open_image, small

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


def use_preset(panel: AttackDock, slug: str, title: str) -> None:
    panel.choose(slug)
    next(action for action in panel.presets.menu().actions() if action.text() == title).trigger()


def says_hint(panel: AttackDock, words: str) -> bool:
    return words in panel.message.text and panel.message.kind == "hint" and panel.can_run


def test_a_start_image_of_the_own_class_is_told_before_the_run(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    open_image(qtbot, session)
    assert session.frame is not None
    assert session.classifier is not None
    own = session.frame.observation.clean_prediction
    attack_panel.choose("hop-skip-jump")
    assert attack_panel.message.text == ""
    session.change(start=start_image(noise(), session.classifier, "same"))
    assert says_hint(attack_panel, "the image's own class")
    assert LABELS[own] in attack_panel.message.text
    other = (own + 1) % len(LABELS)
    session.set_label(other)
    assert says_hint(attack_panel, f"already taken for “{LABELS[own]}”, not for “{LABELS[other]}”")
    session.set_target(own)
    assert says_hint(attack_panel, f"already taken for the target “{LABELS[own]}”")
    session.set_target((own + 2) % len(LABELS))
    assert says_hint(attack_panel, "not for the target")
    attack_panel.choose("pgd")
    assert attack_panel.message.text == ""  # takes no start


def test_a_preset_that_wants_a_target_asks_for_it(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    # Attacks that lack a sticker or a data set say that first.
    ready = [(slug, attack) for slug, attack in CATALOGUE.items() if attack.needs <= {"targets"}]
    wanting = [(slug, preset.title) for slug, attack in ready for preset in attack.presets if "targets" in preset.needs]
    assert len(wanting) >= 3
    open_image(qtbot, session)
    goal = attack_panel.spine.goal
    for slug, title in wanting:
        session.set_target(None)
        use_preset(attack_panel, slug, title)
        assert says_hint(attack_panel, "choose a target")
        popup = goal.popup
        assert popup is not None
        assert popup.isVisible()
        assert goal.form.focusWidget() in (goal.form.target, goal.form.target.lineEdit())
        popup.hide()
        assert session.frame is not None
        session.set_target((session.frame.observation.clean_prediction + 1) % len(LABELS))
        assert attack_panel.message.text == ""
    session.set_target(None)
    attack_panel.reset_button.click()
    assert attack_panel.message.text == ""


def test_the_usual_eps_of_colour_images_is_told_on_digits(qtbot: QtBot, attack_panel: AttackDock, session: Session) -> None:
    open_image(qtbot, session)
    attack_panel.choose("fgsm")
    assert attack_panel.message.text == ""
    open_image(qtbot, session, small(channels=1))
    assert says_hint(attack_panel, "0.1 to 0.3 is; see Presets")
    attack_panel.form.set_values({"eps": 0.05})
    assert attack_panel.message.text == ""  # somebody has chosen it
    attack_panel.form.reset()
    attack_panel.form.set_values({"norm": "l2"})
    assert attack_panel.message.text == ""
    attack_panel.choose("deepfool")
    assert attack_panel.message.text == ""
