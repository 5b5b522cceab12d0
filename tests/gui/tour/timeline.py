"""The tour's timeline: the loss while an attack runs, its iterations under the hand, one of them kept, and how hard the image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from engine.attacks import PGD
from tests.gui.driving import action, click, drag, settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def live_loss(tour: Tour) -> None:
    session = tour.session
    tour.window.bring_up("results")
    session.set_target(session.classifier.labels.index("Speed limit 60") if session.classifier is not None else None)
    session.runs.start(PGD(steps=2000))
    until(lambda: session.runs.job is not None and len(session.runs.job.losses) > 100, "the loss of a hundred steps")
    until(lambda: tour.window.panels["results"].tabs.count() > 0, "the live loss")
    tour.picture("timeline-live", moving=True)
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end of PGD")


def scrubbed(tour: Tour) -> None:
    session = tour.session
    before = len(session.history.entries)
    session.runs.start(PGD(steps=40))
    until(lambda: len(session.history.entries) > before and not session.runs.running, "the end of PGD")
    until(lambda: session.frame is not None and session.frame.step is None, "the result")
    strip = tour.window.centre.foot.strip  # type: ignore[union-attr]
    drag(strip, [QPoint(round(strip.x_of(step)), strip.height() // 2) for step in range(40, 11, -1)])
    until(lambda: session.frame is not None and session.frame.step == 12, "iteration 12")
    settle()
    tour.picture("timeline-scrubbed", moving=True)


def flip(tour: Tour) -> None:
    session = tour.session
    action(tour.bench, "flip_iteration").trigger()
    until(lambda: session.frame is not None and session.frame.step == session.moments.flip, "the flip")
    settle()
    assert session.frame is not None
    assert session.frame.observation.adversarial_prediction == session.target
    tour.picture("timeline-flip", moving=True)


def kept(tour: Tour) -> None:
    session = tour.session
    click(tour.window.centre.foot.keep_button)  # type: ignore[union-attr]
    until(lambda: session.history.shown is not None and session.history.shown.iteration_of is not None, "the kept iteration")
    until(lambda: session.frame is not None and session.frame.step is None, "its frame")
    tour.picture("timeline-kept")


def hardness(tour: Tour) -> None:
    session, panel = tour.session, tour.window.panels["hardness"]
    tour.window.bring_up("hardness")
    settle()
    panel.data.choose("generated:signs")
    panel.data.count.setValue(86)
    panel.run()
    until(lambda: not session.hardness.runner.running and session.hardness.mark is not None, "the reference set", 200)
    settle()
    assert panel.plot.isVisible()
    tour.picture("hardness")


def back(tour: Tour) -> None:
    """Leave the window as it was found."""
    tour.session.set_target(None)
    tour.session.clear_perturbation()
    tour.window.reset_layout()
    settle()


STAGES = (live_loss, scrubbed, flip, kept, hardness, back)
