"""The mouse tools. Each is a generator: press code, ``yield`` while the mouse moves, release code. No Qt, no state of its own."""

from __future__ import annotations

from functools import partial

from gui.canvas.tools.brush import brush, erase
from gui.canvas.tools.panning import pan, slide
from gui.canvas.tools.picking import Grip, Target, grips, hit_at, role_of
from gui.canvas.tools.protocol import (
    Board,
    Cells,
    Draft,
    Drag,
    Key,
    Kind,
    Pan,
    Pointer,
    Role,
    Sketch,
    Slide,
    Tool,
    ToolName,
    name_in_sentence,
    names_in_sentence,
    overlaps,
    unchanged,
    with_sticker,
)
from gui.canvas.tools.selecting import CLAMPED, placed, select, shifted, toggled
from gui.canvas.tools.shapes import MISSED, draw, polygon

__all__ = [
    "CLAMPED",
    "MISSED",
    "TOOLS",
    "Board",
    "Cells",
    "Draft",
    "Drag",
    "Grip",
    "Key",
    "Kind",
    "Pan",
    "Pointer",
    "Role",
    "Sketch",
    "Slide",
    "Target",
    "Tool",
    "ToolName",
    "grips",
    "hit_at",
    "name_in_sentence",
    "names_in_sentence",
    "overlaps",
    "placed",
    "role",
    "shifted",
    "slide",
    "toggled",
    "unchanged",
    "with_sticker",
]

TOOLS: dict[ToolName, Tool] = {
    "select": Tool(select),
    "rectangle": Tool(partial(draw, "rectangle"), "cross", draws=True, new="rectangle"),
    "ellipse": Tool(partial(draw, "ellipse"), "cross", draws=True, new="ellipse"),
    "polygon": Tool(polygon, "cross", draws=True, new="polygon", lasting=True),
    "brush": Tool(brush, "cross", draws=True, new="brush", stays=True, brushes=True),
    "eraser": Tool(erase, "cross", draws=True, stays=True, brushes=True),
    "pan": Tool(pan, "hand"),
}


def role(tool: ToolName, pointer: Pointer, board: Board) -> Role:
    """Return the role of the cursor at a position."""
    fixed = TOOLS[tool].cursor
    return fixed if fixed is not None else role_of(hit_at(pointer, board))
