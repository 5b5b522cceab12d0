"""The tour's first stages: the window as it is painted, while the engine loads, and with the stop sign."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.gui.driving import settle, until, wait_ready

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def painted(tour: Tour) -> None:
    assert "torch" not in sys.modules
    tour.picture("painted-before-torch", moving=True)


def loading(tour: Tour) -> None:
    until(lambda: tour.window.panels, "the panels")
    settle()
    if tour.session.frame is None:  # else the engine was as quick as the panels, and there is nothing to see of its loading
        tour.picture("loading", moving=True)


def ready(tour: Tour) -> None:
    wait_ready(tour.bench)
    frame = tour.session.frame
    assert frame is not None
    seen = frame.observation
    assert frame.scene.classifier.labels[seen.clean_prediction] == "Stop"
    assert float(seen.clean.max()) > 0.99
    tour.picture("ready")


def imported(tour: Tour) -> None:
    """The modules of the other parts import the engine, too, and two threads must not import the same packages at once."""
    until(lambda: not tour.session.waiting("imports"), "the rest of the engine")


STAGES = (painted, loading, ready, imported)
