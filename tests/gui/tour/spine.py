"""The tour's stages of the spine: every chooser open, the goal, a run that is shown and no longer what the form says, and a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gui.attack_dock import attack_dock
from tests.gui.driving import choose_attack, click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.shell.spine.chip import Chip
    from tests.gui.tour.tour import Tour


def _picture(tour: Tour, name: str, chip: Chip) -> None:
    settle()
    popup = chip.popup
    assert popup is not None
    assert popup.isVisible()
    tour.picture(f"spine-{name}", popup, at=tour.window.mapFromGlobal(popup.pos()))
    popup.hide()


def choosers(tour: Tour) -> None:
    spine = tour.window.spine
    press_keys(tour.window, "Ctrl+M")
    _picture(tour, "model", spine.model)
    press_keys(tour.window, "Ctrl+I")
    until(lambda: len(spine.image.list.shown) > 3, "the samples")
    _picture(tour, "image", spine.image)
    press_keys(tour.window, "Ctrl+L")
    _picture(tour, "goal", spine.goal)
    press_keys(tour.window, "Ctrl+Shift+A")
    _picture(tour, "attack", spine.attack)


def stale_run(tour: Tour) -> None:
    choose_attack(tour.bench, "PGD")
    run_attack(tour.bench)
    attack_dock(tour.bench).form.set_values({"eps": 2 / 255, "steps": 10})
    settle()
    tour.picture("spine-changed-since")
    click(tour.window.spine.shown.chip)
    _picture(tour, "runs", tour.window.spine.shown.chip)
    attack_dock(tour.bench).form.reset()


def bound(tour: Tour) -> None:
    classifier = tour.session.classifier
    assert classifier is not None
    tour.session.set_bounds({classifier.sites[0].name: 2.0})
    settle()
    tour.picture("spine-bound")
    click(tour.window.spine.model.lift)
    assert not tour.session.bounds


STAGES = (choosers, stale_run, bound)
