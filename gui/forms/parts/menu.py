"""The menu from which a part is added to a recipe: the catalogue by family, with the other names of each part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from gui.forms.parts.row import doc_of
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from engine.recipes import Part


def title_of(part: type[Part]) -> str:
    """Return the title of a part with its other names, such as “PGD adversarial training (min-max, Madry)”."""
    names = [name for name in part.also if name.casefold() not in part.title.casefold()]
    return f"{part.title} ({', '.join(names)})" if names else part.title


def fill_menu(
    menu: QMenu, catalogue: Mapping[str, type[Part]], without: Collection[str], present: Collection[str], chosen: Callable[[str], None]
) -> None:
    """List the parts of a catalogue by family. Those of ``without`` are no parts to add; those ``present`` are inactive."""
    menu.clear()
    menu.setToolTipsVisible(True)
    parts = [part for slug, part in catalogue.items() if slug not in without]
    for family in dict.fromkeys(str(getattr(part, "family", "")) for part in parts):
        menu.addSection(literal(family))
        for part in parts:
            if str(getattr(part, "family", "")) == family:
                action = menu.addAction(literal(title_of(part)))
                action.setToolTip(doc_of(part))
                action.setData(part.slug)
                action.setEnabled(part.slug not in present)
                action.triggered.connect(lambda _=False, slug=part.slug: chosen(slug))
