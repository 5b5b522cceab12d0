"""PlaceChecks: on which models the adversarial images are made: the white box, the model without its defense, or transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from gui.widgets.check_list import Check, CheckList

if TYPE_CHECKING:
    from gui.session.model_rows import ModelRow

ITSELF, UNDEFENDED = "itself", "undefended"
_ITSELF_TIP = "White box: the attacker knows the model, and its defense, and attacks it directly."
_UNDEFENDED_TIP = (
    "The attacker does not know of the defense, and attacks the same model without it. A defense that helps here alone only hides the "
    "gradient: compare it with the white box."
)
_NO_DEFENSE = "None of the ticked models has a defense in front of it, so this would equal the white box."


class PlaceChecks(CheckList):
    """A tick for each place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Where the images are made", 5, parent)
        self._extra: tuple[str, ...] = ()
        """Models of a specification that are no row of the table."""
        self._defended = False
        self.set_models(())
        self.tick([ITSELF])

    def set_models(self, models: Sequence[ModelRow]) -> None:
        """Offer transfer from these models. With the first defense, the attacker who does not know of it is ticked, too."""
        defended = any(model.entry.defense for model in models)
        new, self._defended = [UNDEFENDED] if defended and not self._defended else [], defended
        checks = [
            Check(ITSELF, "the model itself (white box)", _ITSELF_TIP),
            Check(UNDEFENDED, "the model without its defense", _UNDEFENDED_TIP, "" if defended else _NO_DEFENSE),
        ]
        for name in dict.fromkeys([*(model.title for model in models), *self._extra]):
            tip = f"Transfer: the images are made on “{name}”, and shown to every model. Nothing of the others is known to the attacker."
            checks.append(Check(name, f"{name} (transfer)", tip))
        self.set_checks(checks, ticked=new)

    def set_places(self, places: Sequence[str], models: Sequence[ModelRow]) -> None:
        """Tick the places of a specification."""
        known = {ITSELF, UNDEFENDED, *(model.title for model in models)}
        self._extra = tuple(place for place in places if place not in known)
        self.set_models(models)
        self.tick(places)
