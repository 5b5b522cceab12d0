"""Escaping of texts that are not the program's own, so that Qt shows every character as it is."""

from __future__ import annotations


def literal(text: str) -> str:
    """Escape a text for a menu entry, a button or a tab, where Qt interprets ``&`` as the mark of a keyboard shortcut.

    Markup needs no escape, since the style sheet of `gui.theme` makes labels and tool tips plain text.
    """
    return text.replace("&", "&&")


def literal_title(text: str) -> str:
    """Escape a text for the title of a window, where Qt interprets ``[*]`` as the mark of unsaved work."""
    return text.replace("[*]", "[*][*]")
