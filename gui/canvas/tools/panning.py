"""The tools that change no sticker: panning, and the divider between two images."""

from __future__ import annotations

from gui.canvas.tools.protocol import Board, Drag, Pan, Pointer, Slide


def pan(pointer: Pointer, board: Board) -> Drag:
    """Pan: drag the image along with the mouse."""
    return (yield from pan_from(pointer, pointer))


def slide(pointer: Pointer, board: Board) -> Drag:
    """Move the divider between two images along with the mouse; Esc takes it back to where it was."""
    start = last = pointer.x
    while pointer.kind in ("press", "move"):
        dx, last = pointer.x - last, pointer.x
        pointer = yield Slide(dx)
    if pointer.kind == "cancel":
        yield Slide(start - last)
    return None


def pan_from(anchor: Pointer, pointer: Pointer) -> Drag:
    """Pan so that the anchor stays under the mouse."""
    while pointer.kind in ("press", "move"):
        # Pointers are measured in the view as panned so far, so that the anchor stays under the mouse.
        pointer = yield Pan(anchor.x - pointer.x, anchor.y - pointer.y)
    return None
