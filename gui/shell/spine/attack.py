"""AttackChip: the planned attack and its main numbers; its popup is the list of attacks."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.session.plan_words import main_numbers, with_defense
from gui.shell.actions.shell import Shell
from gui.shell.spine.chip import Chip
from gui.shell.spine.content import Content, Way
from gui.shell.spine.line import Line


class AttackChip(Chip):
    """Shows the attack that Run would start."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("Attack", "Choose another attack", "Ctrl+Shift+A", parent)
        self._shell, self._session = shell, shell.session
        self.opening.connect(self._fill)
        self._session.planned.changed.connect(self._show)
        self._session.defenseChanged.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        plan = self._session.plan
        self.setEnabled(self._session.ready)
        if not self._session.ready or not plan.slug:
            self.show_lines(Line("Attack"), Line())
            return
        from engine.attacks import CATALOGUE

        if plan.slug not in CATALOGUE:  # a study may plan an attack that this Gibbon does not have
            self.show_lines(Line(plan.slug), Line("", ("not in this Gibbon", "not here")), theme.MISTAKE, "Choose another attack.")
            return
        title = Line(CATALOGUE[plan.slug].title)
        attack, error = plan.built
        if attack is None:
            self.show_lines(title, Line("", ("parameters refused", "refused")), theme.MISTAKE, error)
            return
        hint = self._session.planned.hint
        numbers = with_defense(main_numbers(attack), plan.knows_defense and self._session.defense)
        self.show_lines(title, Line("", (*numbers, "")), None, hint)

    # ------------------------------------------------------------------ the popup

    @Slot()
    def _fill(self) -> None:
        if self.popup is None:
            from engine.attacks import CATALOGUE
            from gui.choosers.attacks import AttackList

            self.list = AttackList()
            self.list.set_attacks(CATALOGUE)
            ways = (Way("Parameters…", "The Attack dock: every parameter, presets, region, seed", "mdi6.tune-variant", self._to_dock),)
            popup = self.set_popup(Content(self.list, ways, self._close))
            self.list.picked.connect(popup.hide)
            self.list.picked.connect(self._session.planned.choose)
        self.list.highlight(self._session.plan.slug)
        self.list.start()

    def _close(self) -> None:
        if self.popup is not None:
            self.popup.hide()

    def _to_dock(self) -> None:
        self._shell.bring_up("attack")
