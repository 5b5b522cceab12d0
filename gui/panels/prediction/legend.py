"""Legend: the colours that the bars of the Prediction dock use."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui.theme import ADVERSARIAL, CLEAN, LABEL, TARGET, rich


class Legend(QLabel):
    """The legend of the colours that the bars use."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[bool, bool, bool] | None = None
        rich(self)
        self.setWordWrap(True)

    def show_parts(self, label: bool, target: bool, chosen: bool) -> None:
        """Show the entries of the true label and the target, if there are any; ``chosen``: the attack chose the target."""
        if (label, target, chosen) == self._shown:
            return
        self._shown = (label, target, chosen)
        parts = [(CLEAN, "■", "clean"), (ADVERSARIAL, "■", "adversarial")]
        parts += [(LABEL, "❙", "true&nbsp;label")] * label + [
            (TARGET, "❙", "target,&nbsp;chosen by&nbsp;the&nbsp;attack" if chosen else "target")
        ] * target
        words = [f'<span style="color:{colour}">{sign}</span>&nbsp;{word}' for colour, sign, word in parts]
        self.setText(" &nbsp; ".join(words))
