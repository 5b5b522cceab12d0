"""The Edit menu: undo, the clipboard, the perturbation, and the mouse tools."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from gui.clipboard import copy_pixels
from gui.shell.actions.conditions import can_redo, can_undo, has_frame, perturbed
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.canvas.tools import ToolName
    from gui.shell.actions.shell import Shell


def undo(shell: Shell) -> None:
    """Take back the last change."""
    shell.session.undo_stack.undo()


def redo(shell: Shell) -> None:
    """Make the last change that was taken back again."""
    shell.session.undo_stack.redo()


def copy_adversarial(shell: Shell) -> None:
    """Copy the adversarial image to the clipboard."""
    if shell.session.frame is not None:
        copy_pixels(shell.session.frame.adversarial_pixels)
        shell.session.notice.emit("The adversarial image is on the clipboard, rounded to 8 bits.")


def copy_clean(shell: Shell) -> None:
    """Copy the clean image to the clipboard."""
    if shell.session.frame is not None:
        copy_pixels(shell.session.frame.clean_pixels)
        shell.session.notice.emit("The clean image is on the clipboard.")


def copy_figure(shell: Shell) -> None:
    """Copy a figure of what is shown, laid out as the last exported one."""
    from gui.export.copying import copy_last_figure

    copy_last_figure(shell.session, shell.settings)


def clear_perturbation(shell: Shell) -> None:
    """Return to the clean image with its stickers."""
    shell.session.clear_perturbation()


def tool(name: ToolName, shell: Shell) -> None:
    """Take a mouse tool of the canvas in hand."""
    shell.canvas.set_tool(name)
    shell.canvas.setFocus(Qt.FocusReason.OtherFocusReason)  # Return then draws without the mouse


def resize_brush(by: int, shell: Shell) -> None:
    """Make the brush larger (1) or smaller (-1)."""
    shell.canvas.resize_brush(by)


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("undo", "Undo", undo, "Take back the last change", ("Ctrl+Z",), "mdi6.undo", enabled=can_undo),
    ActionSpec("redo", "Redo", redo, "Make it again", ("Ctrl+Shift+Z", "Ctrl+Y"), "mdi6.redo", enabled=can_redo),
    ActionSpec(
        "copy_adversarial",
        "Copy adversarial image",
        copy_adversarial,
        "Copy the adversarial image to the clipboard",
        ("Ctrl+Shift+C",),
        "mdi6.content-copy",
        enabled=has_frame,
        rule=True,
    ),
    ActionSpec(
        "copy_clean",
        "Copy clean image",
        copy_clean,
        "Copy the clean image to the clipboard",
        icon="mdi6.content-copy",
        enabled=has_frame,
    ),
    ActionSpec(
        "copy_figure",
        "Copy figure",
        copy_figure,
        "Copy a figure of what is shown to the clipboard, laid out as the last exported one, with 300 pixels per inch",
        ("Ctrl+Shift+E",),
        "mdi6.content-copy",
        enabled=has_frame,
    ),
    ActionSpec(
        "clear_perturbation",
        "Clear perturbation",
        clear_perturbation,
        "Back to the clean image; stickers stay",
        ("Ctrl+Backspace",),
        "mdi6.eraser",
        enabled=perturbed,
        rule=True,
    ),
    ActionSpec(
        "select_tool",
        "Select",
        partial(tool, "select"),
        "Select, move, resize and rotate stickers",
        ("V",),
        "mdi6.cursor-default-outline",
        enabled=has_frame,
        group="tool",
        rule=True,
    ),
    ActionSpec(
        "rectangle_tool",
        "Draw sticker",
        partial(tool, "rectangle"),
        "Draw a rectangle: a sticker",
        ("R",),
        "mdi6.vector-square-plus",
        enabled=has_frame,
        group="tool",
    ),
    ActionSpec(
        "ellipse_tool",
        "Draw ellipse",
        partial(tool, "ellipse"),
        "Draw an ellipse: a round sticker",
        ("E",),
        "mdi6.ellipse-outline",
        enabled=has_frame,
        group="tool",
    ),
    ActionSpec(
        "polygon_tool",
        "Draw polygon",
        partial(tool, "polygon"),
        "Draw a polygon corner by corner: a double click or Enter ends it, Backspace takes a corner back",
        ("L",),
        "mdi6.vector-polygon",
        enabled=has_frame,
        group="tool",
    ),
    ActionSpec(
        "brush_tool",
        "Brush",
        partial(tool, "brush"),
        "Paint a sticker, or more of the selected one. Ctrl erases, [ and ] or Ctrl and the wheel set the radius",
        ("P",),
        "mdi6.brush-outline",
        enabled=has_frame,
        group="tool",
    ),
    ActionSpec(
        "eraser_tool",
        "Eraser",
        partial(tool, "eraser"),
        "Take pixels away from the selected sticker. [ and ] or Ctrl and the wheel set the radius",
        ("Shift+P",),
        "mdi6.eraser-variant",
        enabled=has_frame,
        group="tool",
    ),
    ActionSpec(
        "pan_tool", "Pan", partial(tool, "pan"), "Move the view", ("H",), "mdi6.hand-back-right-outline", enabled=has_frame, group="tool"
    ),
    ActionSpec(
        "larger_brush",
        "Larger brush",
        partial(resize_brush, 1),
        "Make the radius of the brush larger",
        ("]",),
        "mdi6.plus",
        enabled=has_frame,
    ),
    ActionSpec(
        "smaller_brush",
        "Smaller brush",
        partial(resize_brush, -1),
        "Make the radius of the brush smaller, down to a single pixel",
        ("[",),
        "mdi6.minus",
        enabled=has_frame,
    ),
)
