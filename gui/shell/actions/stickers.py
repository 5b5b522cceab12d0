"""The Edit menu's part for stickers. The canvas has the same commands on its keys, and they act on the selected stickers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import has_found_stickers, has_image, has_sticker
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.canvas.aligning import Edge
    from gui.canvas.edits import Switch
    from gui.shell.actions.shell import Shell

_FAR = 1_000_000
"""More places than any canvas has stickers. Not imported from the canvas, whose import is heavy and waits for the first paint."""


def duplicate(shell: Shell) -> None:
    """Put copies of the selected stickers beside them."""
    shell.canvas.duplicate_selected()


def copy(shell: Shell) -> None:
    """Put the selected stickers on the clipboard, as text."""
    shell.canvas.copy_selected()


def cut(shell: Shell) -> None:
    """Put the selected stickers on the clipboard, and remove them."""
    shell.canvas.cut_selected()


def paste(shell: Shell) -> None:
    """Add the stickers on the clipboard to the image."""
    shell.canvas.paste()


def restack(by: int, shell: Shell) -> None:
    """Move the selected stickers up (1) or down (-1) in z-order, or by more places."""
    shell.canvas.restack_selected(by)


def delete(shell: Shell) -> None:
    """Remove the selected stickers."""
    shell.canvas.delete_selected()


def switch(what: Switch, shell: Shell) -> None:
    """Lock or unlock, hide or show the selected stickers."""
    shell.canvas.switch_selected(what)


def align(edge: Edge, on_image: bool, shell: Shell) -> None:
    """Align the selected stickers with each other, or with the image."""
    shell.canvas.align_selected(edge, on_image)


def snap(shell: Shell) -> None:
    """Round the edges of the selected stickers to whole pixels."""
    shell.canvas.snap_selected()


def open_file(mask: bool, shell: Shell) -> None:
    """Add the stickers of a file, or a picture as a sticker or a mask."""
    from gui.panels.stickers.files import open_stickers

    open_stickers(shell.session, shell.window(), mask=mask)


def open_ready(shell: Shell) -> None:
    """Add the patch of a file as a sticker."""
    from gui.panels.stickers.files import open_ready_patch

    open_ready_patch(shell.session, shell.window())


def put_found(shell: Shell) -> None:
    """Put the stickers that the run on the canvas found there, as stickers."""
    from gui.session.found_stickers import put_on_canvas

    run = shell.session.history.shown
    if run is not None:
        put_on_canvas(shell.session, run)


def save_file(shell: Shell) -> None:
    """Write the selected stickers to a file."""
    from gui.panels.stickers.files import save_stickers

    save_stickers(shell.session, shell.window())


def _stacking(id: str, title: str, by: int, tip: str, keys: str, icon: str) -> ActionSpec:
    return ActionSpec(id, title, partial(restack, by), tip, (keys,), icon, enabled=has_sticker, keys_elsewhere=True)


_FILES = "Sticker files"
_EDGES: tuple[tuple[Edge, str, str], ...] = (
    ("left", "Left edges", "mdi6.align-horizontal-left"),
    ("centre", "Centres across", "mdi6.align-horizontal-center"),
    ("right", "Right edges", "mdi6.align-horizontal-right"),
    ("top", "Upper edges", "mdi6.align-vertical-top"),
    ("middle", "Centres down", "mdi6.align-vertical-center"),
    ("bottom", "Lower edges", "mdi6.align-vertical-bottom"),
)


def _aligning(edge: Edge, title: str, icon: str, on_image: bool) -> ActionSpec:
    id, menu = ("align_to_image", "Align with the image") if on_image else ("align", "Align stickers")
    tip = "with the image" if on_image else "with each other, or a single one with the image"
    do = partial(align, edge, on_image)
    return ActionSpec(f"{id}_{edge}", title, do, f"Align the selected stickers {tip}", icon=icon, enabled=has_sticker, submenu=menu)


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "copy_sticker",
        "Copy stickers",
        copy,
        "Put the selected stickers on the clipboard as text, which any window takes",
        ("Ctrl+C",),
        "mdi6.content-copy",
        enabled=has_sticker,
        keys_elsewhere=True,
        rule=True,
    ),
    ActionSpec(
        "cut_sticker",
        "Cut stickers",
        cut,
        "Put the selected stickers on the clipboard, and remove them",
        ("Ctrl+X",),
        "mdi6.content-cut",
        enabled=has_sticker,
        keys_elsewhere=True,
    ),
    ActionSpec(
        "paste_sticker",
        "Paste stickers",
        paste,
        "Add the stickers on the clipboard to the image (Ctrl+V, as for an image)",
        icon="mdi6.content-paste",
        enabled=has_image,
    ),
    ActionSpec(
        "duplicate_sticker",
        "Duplicate sticker",
        duplicate,
        "Put copies of the selected stickers beside them",
        ("Ctrl+D",),
        "mdi6.content-duplicate",
        enabled=has_sticker,
    ),
    _stacking("raise_sticker", "Raise sticker", 1, "Move the selected stickers above the next one", "PgUp", "mdi6.arrow-up"),
    _stacking("lower_sticker", "Lower sticker", -1, "Move the selected stickers below the one before", "PgDown", "mdi6.arrow-down"),
    _stacking(
        "front_sticker", "Bring to front", _FAR, "Move the selected stickers above all others", "Shift+PgUp", "mdi6.arrow-collapse-up"
    ),
    _stacking(
        "back_sticker", "Send to back", -_FAR, "Move the selected stickers below all others", "Shift+PgDown", "mdi6.arrow-collapse-down"
    ),
    ActionSpec(
        "lock_sticker",
        "Lock or unlock sticker",
        partial(switch, "locked"),
        "A locked sticker is not taken by the mouse, and keeps its place",
        ("Ctrl+Shift+L",),
        "mdi6.lock-outline",
        enabled=has_sticker,
    ),
    ActionSpec(
        "hide_sticker",
        "Hide or show sticker",
        partial(switch, "visible"),
        "A hidden sticker is neither painted nor attacked",
        ("Ctrl+Shift+H",),
        "mdi6.eye-outline",
        enabled=has_sticker,
    ),
    ActionSpec(
        "snap_sticker",
        "Snap to whole pixels",
        snap,
        "Round the edges of the selected stickers to whole pixels",
        icon="mdi6.magnet",
        enabled=has_sticker,
    ),
    ActionSpec(
        "open_sticker",
        "Open sticker or picture…",
        partial(open_file, False),
        "Add the stickers of a file, or a picture with its alpha as a sticker",
        icon="mdi6.folder-open-outline",
        enabled=has_image,
        submenu=_FILES,
    ),
    ActionSpec(
        "open_mask",
        "Open picture as a mask…",
        partial(open_file, True),
        "Add a sticker with the shape of a picture's alpha, and the content of new stickers",
        icon="mdi6.texture-box",
        enabled=has_image,
        submenu=_FILES,
    ),
    ActionSpec(
        "open_ready_patch",
        "Add ready patch…",
        open_ready,
        "Add a patch from a file of tensors (.pt, .npy, .gz) or a picture as a sticker; no code of the file is run",
        icon="mdi6.sticker-plus-outline",
        enabled=has_image,
        submenu=_FILES,
    ),
    ActionSpec(
        "put_found_stickers",
        "Put found stickers on the canvas",
        put_found,
        "Take what the attack on the canvas found as stickers, in place of its perturbation",
        icon="mdi6.sticker-check-outline",
        enabled=has_found_stickers,
    ),
    ActionSpec(
        "save_sticker",
        "Save stickers…",
        save_file,
        "Write the selected stickers to a picture that carries them, or to a text",
        icon="mdi6.content-save-outline",
        enabled=has_sticker,
        submenu=_FILES,
    ),
    *(_aligning(*edge, on_image) for on_image in (False, True) for edge in _EDGES),
    ActionSpec(
        "delete_sticker",
        "Delete sticker",
        delete,
        "Remove the selected stickers",
        ("Del",),
        "mdi6.delete-outline",
        enabled=has_sticker,
        keys_elsewhere=True,
    ),
)
