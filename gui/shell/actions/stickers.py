"""The Edit menu's part for stickers. The canvas has the same commands on its keys, and they act on the selected sticker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import has_sticker
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell


def duplicate(shell: Shell) -> None:
    """Put a copy of the selected sticker beside it."""
    shell.canvas.duplicate_selected()


def restack(by: int, shell: Shell) -> None:
    """Move the selected sticker up (1) or down (-1) in z-order."""
    shell.canvas.restack_selected(by)


def delete(shell: Shell) -> None:
    """Remove the selected sticker."""
    shell.canvas.delete_selected()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "duplicate_sticker",
        "Duplicate sticker",
        duplicate,
        "Put a copy of the selected sticker beside it",
        ("Ctrl+D",),
        "mdi6.content-duplicate",
        enabled=has_sticker,
        rule=True,
    ),
    ActionSpec(
        "raise_sticker",
        "Raise sticker",
        partial(restack, 1),
        "Move the selected sticker above the next one",
        ("PgUp",),
        "mdi6.arrow-up",
        enabled=has_sticker,
        keys_elsewhere=True,
    ),
    ActionSpec(
        "lower_sticker",
        "Lower sticker",
        partial(restack, -1),
        "Move the selected sticker below the one before",
        ("PgDown",),
        "mdi6.arrow-down",
        enabled=has_sticker,
        keys_elsewhere=True,
    ),
    ActionSpec(
        "delete_sticker",
        "Delete sticker",
        delete,
        "Remove the selected sticker",
        ("Del",),
        "mdi6.delete-outline",
        enabled=has_sticker,
        keys_elsewhere=True,
    ),
)
