"""The tour's stages of drawing: polygon, brush, rotation, layers that are locked and hidden, and several that are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gui.canvas_events import CTRL, NONE, SHIFT, drag, move, press, release
from tests.gui.driving import press_keys, settle, until

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.canvas.pane import Pane
    from tests.gui.tour.tour import Tour


def polygon(tour: Tour) -> None:
    """A polygon with its rubber line, and ended."""
    tour.window.workspaces.switch("stickers")
    tour.session.change(stickers=(), selected=None, delta=None, compared=())
    canvas, pane = _canvas(tour)
    press_keys(tour.window, "L")
    canvas.setFocus()
    for corner in ((18, 16), (29, 17), (27, 27), (20, 24)):
        press(pane, corner)
        release(pane, corner)
    move(pane, (16.5, 20), NONE)
    assert pane.view.sketch.sketch is not None
    tour.picture("draw-polygon", moving=True)
    press_keys(canvas, "Return")
    assert len(tour.session.stickers) == 1
    _shown(tour)


def rotated(tour: Tour) -> None:
    """A rectangle that is rotated by its round grip, in steps of 15 degrees."""
    _window, pane = _canvas(tour)
    press_keys(tour.window, "R")
    drag(pane, [(13.5, 5.5), (18.5, 8.5), (21.5, 10.5)])
    knob = pane.view.handles.knob()
    assert knob is not None
    at = pane.placement.to_image(knob.x(), knob.y())
    press(pane, at)
    move(pane, (at[0] + 3, at[1] + 0.5), keys=SHIFT)
    release(pane, (at[0] + 3, at[1] + 0.5), keys=SHIFT)
    assert tour.session.stickers[-1].angle % 15 == 0
    assert tour.session.stickers[-1].angle != 0
    _shown(tour)
    tour.picture("draw-rotated")


def brush(tour: Tour) -> None:
    """A stroke of the brush with its circle, and the sticker that it made, with a part erased."""
    canvas, pane = _canvas(tour)
    tour.session.select(None)
    press_keys(tour.window, "P")
    settle()
    canvas.set_radius(2)
    press(pane, (4.5, 6.5))
    for at in ((9.5, 8.5), (8.5, 14.5), (11.5, 20.5)):
        move(pane, at)
    tour.picture("draw-brush", moving=True)
    release(pane, (11.5, 20.5))
    drag(pane, [(4.5, 6.5), (6.5, 6.5)], keys=CTRL)
    assert len(tour.session.stickers) == 3
    _shown(tour)
    press_keys(tour.window, "V")


def layers(tour: Tour) -> None:
    """Several selected, one of them locked, another layer hidden."""
    canvas, _pane = _canvas(tour)
    first, second, third = (sticker.id for sticker in tour.session.stickers)
    tour.session.select(second)
    canvas.switch_selected("visible")
    tour.session.select(third)
    canvas.switch_selected("locked")
    tour.session.select(first, frozenset({third}))
    _shown(tour)
    tour.picture("draw-layers")
    tour.session.change(stickers=(), selected=None, also_selected=frozenset())  # the next part begins without any
    tour.window.workspaces.switch("attack")
    settle()


def _canvas(tour: Tour) -> tuple[ImageCanvas, Pane]:
    return tour.window.canvas, tour.window.canvas.panes[0]


def _shown(tour: Tour) -> None:
    session = tour.session
    until(lambda: session.frame is not None and session.frame.scene.stickers == session.stickers, "the frame of the stickers")
    settle()


STAGES = (polygon, rotated, brush, layers)
