"""AttackList: the attacks, grouped by the attacker's access to the model, with a search field and a filter by norm."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QToolButton, QWidget

from engine.text.formatting import named_norms
from gui.widgets.pick_list import PickList
from gui.widgets.picks import Pick, PickGroup

if TYPE_CHECKING:
    from engine import Attack

_ARXIV = re.compile(r"^(?:arxiv:|(?:https?://)?(?:[a-z]+\.)*arxiv\.org/\w+/)(\d{4}\.\d{4,5})(?:v\d+)?(?:\.pdf)?[.,;/]?$")
ACCESS = {
    "white box": "White box: gradients",
    "scores only": "Black box: scores only",
    "labels only": "Black box: labels only",
    "transfer": "Transfer: through another model",
}
"""Titles of the groups by the attacker's access, in the order of the list."""
NORMS = {"linf": "L∞", "l2": "L2", "l1": "L1", "l0": "L0"}
_NORM_TIPS = {
    "": "Attacks of every norm, and of none",
    "linf": "Attacks that bound the largest change of a value",
    "l2": "Attacks that keep the Euclidean length of the change small",
    "l1": "Attacks that keep the sum of all changes small",
    "l0": "Attacks that change few pixels",
}


def description(attack: type[Attack]) -> str:
    """Return the first paragraph of an attack's docstring, in one line without markup."""
    first = (inspect.getdoc(attack) or attack.title).split("\n\n")[0]
    return named_norms(re.sub(r"`+([^`]*)`+", r"\1", " ".join(first.split())).replace("<-", "←"))


def _fields(attack: type[Attack], group: str) -> tuple[str, ...]:
    """Return the texts that a search in an attack matches, the most specific first."""
    short = re.findall(r"(\w)\w* & (\w)", attack.title)  # C&W
    also = [*attack.also, *("&".join(initials) for initials in short)]
    aim = ["targeted"] * ("targets" in attack.uses) + ["untargeted"] * ("labels" in attack.uses and "targets" not in attack.needs)
    norms = [*attack.norms, *(NORMS[norm] for norm in attack.norms)]
    rest = [attack.family, group, *(preset.title for preset in attack.presets), *norms, *aim]
    return (attack.title, attack.slug, " ".join(also), attack.paper, description(attack), " ".join(rest))


def searched_words(text: str) -> list[str]:
    """Return the words of a search. An arXiv address or name is reduced to the paper's number, without the version."""
    return [_ARXIV.sub(r"\1", word).removeprefix("arxiv:") for word in text.casefold().split()]


def norms_of(attack: type[Attack]) -> str:
    """Return an attack's norms, such as ``L∞ L2``, or a dash."""
    return " ".join(name for norm, name in NORMS.items() if norm in attack.norms) or "–"


class NormFilter(QWidget):
    """A row of buttons that choose one norm or any."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(QLabel("norm", self))
        row.addSpacing(4)
        for norm, name in {"": "any", **NORMS}.items():
            button = self.buttons[norm] = QToolButton(self)
            button.setText(name)
            button.setCheckable(True)
            button.setProperty("choice", True)  # the style sheet gives the checked button of a choice the accent colour
            button.setChecked(not norm)
            button.setToolTip(_NORM_TIPS[norm])
            button.setAccessibleName(f"Norm: {name}")
            button.toggled.connect(self._on_toggled)
            group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)

    @property
    def norm(self) -> str:
        """The chosen norm's name in the engine; empty for any."""
        return next(norm for norm, button in self.buttons.items() if button.isChecked())

    @Slot(bool)
    def _on_toggled(self, checked: bool) -> None:
        if checked:
            self.changed.emit()


class AttackList(PickList):
    """The list of attacks by access and family, with a filter by norm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = (
            "Narrow the list by name, author, year, arXiv id or address, description, family, preset or norm, or by “targeted”. "
            "What fits best is highlighted; Enter takes it."
        )
        super().__init__("attacks", 3, parent, tip=tip)
        self.norms = NormFilter(self)
        self.column.insertWidget(1, self.norms)
        self.nothing.setText("No attack is found by these words and this norm.")
        self.read_search = searched_words
        self._norms: dict[str, tuple[str, ...]] = {}
        self.accepts = self._has_norm
        self.norms.changed.connect(self.refilter)

    def _has_norm(self, slug: str) -> bool:
        return not self.norms.norm or self.norms.norm in self._norms[slug]

    def set_attacks(self, attacks: Mapping[str, type[Attack]]) -> None:
        """List the attacks."""
        self._norms = {attack.slug: attack.norms for attack in attacks.values()}
        groups = []
        for access, title in ACCESS.items():
            known = [attack for attack in attacks.values() if attack.access() == access]
            families = list(dict.fromkeys(attack.family for attack in known))
            known.sort(key=lambda attack: families.index(attack.family))
            groups.append(PickGroup(title, [_pick(attack, title) for attack in known]))
        self.set_groups(groups)

    def start(self) -> None:
        self.norms.buttons[""].setChecked(True)
        super().start()


def _pick(attack: type[Attack], group: str) -> Pick:
    tip = "\n".join(filter(None, [description(attack), attack.paper]))
    return Pick(attack.slug, (attack.title, attack.family, norms_of(attack)), tip, _fields(attack, group))
