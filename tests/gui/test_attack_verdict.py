"""The verdict on an attack and what its norms are measured from, on real results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from engine.attacks import FGSM, PGD, StickerPGD
from engine.figures.animation import film_of
from engine.figures.subject import subject_of
from engine.stickers import Colour, Content, Optimised, Sticker
from gui.panels.results.content import loss_curve
from gui.session.attack_verdict import measured_from, summary_line, verdict_of_attack
from gui.session.run_facts import run_facts
from gui.session.state import AttackSettings
from tests.gui.driving import until
from tests.gui.panel_scenes import LABELS, attack, open_image, put_sticker

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from engine import Attack
    from gui.session.history import AttackRun
    from gui.session.session import Session


@pytest.fixture
def seen(qtbot: QtBot, session: Session) -> int:
    """Open an image; return what the model takes it for."""
    open_image(qtbot, session)
    assert session.classifier is not None
    assert session.clean is not None
    return int(session.classifier.predict(session.clean[None])[0])


def ran(qtbot: QtBot, session: Session, made: Attack) -> AttackRun:
    attack(qtbot, session, made)
    return session.history.attacks[-1]


def run_long(session: Session) -> None:
    """Run PGD as it is planned, until it is cancelled, and wait for some steps."""
    session.change(ready=True, **{**session.plan.choosing("pgd"), "settings": AttackSettings({"steps": "100000", "eps": "1/255"})})
    assert session.planned.obstacle is None
    session.planned.run()
    until(lambda: len(session.moments.steps) > 3, "some steps")


def test_an_attack_on_a_misread_image_is_no_success(qtbot: QtBot, session: Session, seen: int) -> None:
    other = (seen + 1) % len(LABELS)
    session.change(label=other)
    run = ran(qtbot, session, FGSM(eps=1 / 255))
    verdict = verdict_of_attack(run.result)
    assert bool(run.result.success[0])
    assert verdict.kind == "already"
    assert verdict.before == f"The model misread the image before the attack, as “{LABELS[seen]}” and not as “{LABELS[other]}”."
    assert "succeeded" not in summary_line(run)
    assert summary_line(run).endswith(verdict.before)
    assert "first at step" not in summary_line(run)


@pytest.mark.parametrize("targeted", [False, True])
def test_what_held_before_the_attack_has_no_first_success(qtbot: QtBot, session: Session, seen: int, targeted: bool) -> None:
    """Neither while it runs, nor on the timeline, the curve, the card and the figure's subject afterwards."""
    session.change(label=(seen + 1) % len(LABELS), target=seen if targeted else None)
    run_long(session)
    assert session.moments.timeline is not None
    assert session.moments.timeline.flip is not None, "choose an attack whose first iterate is still misread"
    assert session.moments.flip is None
    session.runs.cancel()
    until(lambda: session.history.shown is not None, "the run")
    run = session.history.shown
    assert run is not None
    assert run.reached_before
    assert session.moments.flip is None
    assert loss_curve(run)[3].endswith("It had nothing to do: the image was like that before.")
    assert run_facts(run).figures["first success at step"] == "before the attack"
    subject = subject_of(run.result)
    assert (subject.flipped_at, subject.reached_before) == (None, True)
    assert film_of(run.result, run.timeline).flip is None


def test_stickers_that_flip_the_image_leave_an_attack_no_first_success(qtbot: QtBot, session: Session, seen: int) -> None:
    for grey in (0.0, 0.5, 1.0):
        put_sticker(qtbot, session, (grey, 1 - grey, grey))
        until(lambda: session.frame is not None and session.frame.scene.stickers is session.stickers, "the sticker")
        if session.planned.base_prediction != seen:
            break
    assert session.planned.base_prediction != seen, "no sticker changes the prediction: choose others"
    run_long(session)
    assert session.moments.flip is None
    session.runs.cancel()
    until(lambda: session.history.shown is not None, "the run")
    assert session.moments.flip is None


def test_an_attack_that_succeeds_itself_has_its_first_success_marked(qtbot: QtBot, session: Session, seen: int) -> None:
    run = ran(qtbot, session, PGD(steps=12, eps=0.2))
    assert bool(run.result.success[0])
    assert session.moments.flip == run.result.flip() == int(run.result.steps_to_flip[0])


def test_a_target_that_was_there_before_is_no_success(qtbot: QtBot, session: Session, seen: int) -> None:
    session.change(label=(seen + 1) % len(LABELS), target=seen)
    verdict = verdict_of_attack(ran(qtbot, session, PGD(steps=2)).result)
    assert verdict.kind == "already"
    assert verdict.before == f"The model took the image for the target “{LABELS[seen]}” before the attack."


def test_a_target_reached_from_a_misread_image_is_a_success_that_says_so(qtbot: QtBot, session: Session, seen: int) -> None:
    for target in (number for number in range(len(LABELS)) if number != seen):
        label = next(number for number in range(len(LABELS)) if number not in (seen, target))
        session.change(label=label, target=target)
        run = ran(qtbot, session, PGD(steps=40, eps=1.0))
        if bool(run.result.success[0]):
            verdict = verdict_of_attack(run.result)
            assert (verdict.kind, verdict.words) == ("success", "succeeded")
            assert verdict.before.startswith("The model misread the image before the attack")
            return
    pytest.fail("no target was reached")


def test_failure_and_success_of_the_attack_s_own(qtbot: QtBot, session: Session, seen: int) -> None:
    session.change(label=seen)
    weak = ran(qtbot, session, FGSM(eps=1e-6))
    assert verdict_of_attack(weak.result).kind == "none"
    assert "did not succeed" in summary_line(weak)
    strong = ran(qtbot, session, PGD(steps=40, eps=1.0))
    assert verdict_of_attack(strong.result).kind == "success"
    assert verdict_of_attack(strong.result).before == ""


@pytest.mark.parametrize(
    ("contents", "made", "source"),
    [
        ((), PGD(steps=1), "the clean image"),
        ((Colour(),), PGD(steps=1), "the clean image with its stickers"),
        ((Optimised(),), StickerPGD(steps=1), "the clean image"),
        ((Colour(), Optimised()), StickerPGD(steps=1), "the clean image with its other stickers"),
    ],
)
def test_norms_are_measured_from_what_was_attacked(
    qtbot: QtBot, session: Session, seen: int, contents: tuple[Content, ...], made: Attack, source: str
) -> None:
    from engine.stickers import compose

    session.commit_stickers(tuple(Sticker(number, 5 * number, 2, 4, 4, each) for number, each in enumerate(contents)), "Add")
    run = ran(qtbot, session, made)
    assert measured_from(run) == source
    assert f" from {source}, " in summary_line(run)
    # The words are true: the norms are those of the adversarial image minus the image that the words name.
    fixed = tuple(s for s in run.before.stickers if source != "the clean image" and not isinstance(s.content, Optimised))
    named = compose(run.before.clean, fixed).shown
    difference = run.result.adversarial[0] - named
    assert float(run.result.norms["l2"][0]) == pytest.approx(float(difference.norm()), rel=1e-5)
    assert torch.equal(run.result.clean[0], named)
