"""GoalChip: the true label and the target, such as “Stop → any other class”; its popup is the only place where they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.shell.actions.shell import Shell
from gui.shell.spine.chip import Chip
from gui.shell.spine.line import Line

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.state import State


class GoalChip(Chip):
    """Shows what an attack leads away from, and where to."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("Goal", "Set the true label and the target", "Ctrl+L", parent)
        self._session = shell.session
        self.opening.connect(self._fill)
        session = self._session
        for signal in (session.classifierChanged, session.labelChanged, session.imageChanged, session.planChanged):
            signal.connect(self._show)
        session.classifierChanged.connect(self._on_labels)
        session.planned.targetWanted.connect(self.open_at_target)
        self._show()

    @property
    def _attack(self) -> type[Attack] | None:
        if not self._session.ready:
            return None
        from engine.attacks import CATALOGUE

        return CATALOGUE.get(self._session.plan.slug)

    @Slot()
    def _show(self) -> None:
        state, attack = self._session.state, self._attack
        self.setEnabled(state.classifier is not None)
        first, second, colour, tip = goal_lines(state, attack)
        self.show_lines(first, second, colour, tip)
        if self.popup is not None:
            self.form.show_state(state, attack, self._complaint())
            self.popup.fit()

    def _complaint(self) -> str:
        """Return the obstacle's sentence if it is about label or target."""
        found = self._session.planned.obstacle
        return (
            found.sentence if found is not None and found.is_mistake and ("target" in found.sentence or "label" in found.sentence) else ""
        )

    # ------------------------------------------------------------------ the popup

    def _build(self) -> None:
        from gui.choosers.goal import GoalForm

        session = self._session
        self.form = GoalForm()
        self.set_popup(self.form)
        self.form.labelChosen.connect(session.set_label)
        self.form.targetChosen.connect(session.set_target)
        self.form.labelMistyped.connect(self._on_label_mistyped)
        self.form.targetMistyped.connect(self._on_target_mistyped)
        self._on_labels()

    @Slot()
    def _fill(self) -> None:
        if self.popup is None:
            self._build()
        self._show()
        self.form.start()

    @Slot()
    def open_at_target(self) -> None:
        """Open the popup with the keyboard in the target."""
        self.open()
        if self.popup is not None:
            self.form.focus(self.form.target)

    @Slot()
    def _on_labels(self) -> None:
        if self.popup is not None:
            self.form.set_labels(self._session.state.labels)
            self._show()

    @Slot(str)
    def _on_label_mistyped(self, text: str) -> None:
        self._session.change(label_text=text)

    @Slot(str)
    def _on_target_mistyped(self, text: str) -> None:
        self._session.change(target_text=text)


def goal_lines(state: State, attack: type[Attack] | None) -> tuple[Line, Line, str | None, str]:
    """Return the chip's two lines, the colour of the second, and what the tool tip adds."""
    if state.classifier is None:
        return Line("Goal"), Line(), None, ""
    label = state.assumed_label
    assumed = state.label is None
    name = f"“{state.label_text}”?" if state.label_text else "…" if label is None else state.name_of(label)
    first = Line(name, (" (assumed)", " ?") if assumed and not state.label_text else ("",))
    tip = "The true label is not known: the model's prediction is taken for it." if assumed and label is not None else ""
    if attack is not None and "targets" not in attack.uses:
        return first, Line("", ("→ no target", "→ –")), None, f"{tip}\n{attack.title} takes no target.".strip()
    if state.target_text:
        return first, Line(f"→ “{state.target_text}”?"), theme.MISTAKE, tip
    if state.target is not None:
        return first, Line(f"→ {state.name_of(state.target)}"), theme.TARGET, tip
    if attack is not None and "targets" in attack.needs:
        return first, Line("", ("→ choose a target", "→ choose")), theme.MISTAKE, tip
    return first, Line("", ("→ any other class", "→ any other", "→ any")), None, tip
