"""FormsStack: the description of the chosen attack and the form of its parameters. A view of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gui.choosers.attacks import description
from gui.forms import Form
from gui.panels.attack.about import AttackDescription
from gui.panels.attack.header import Header
from gui.session.state import AttackSettings
from gui.settings import Settings

if TYPE_CHECKING:
    from engine import Attack


_UNFOLDED = "attack/advanced"


class FormsStack(QWidget):
    """The description, then the widget of the inputs, then the form. The header stays above it while it is scrolled."""

    edited = Signal(object, str, str)
    """The user has changed parameters: the new `AttackSettings`, the undo step's name, and the parameter's name if it was one."""
    presetUsed = Signal(str)
    """The user has chosen a preset: its title."""

    def __init__(self, header: Header, inputs: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header = header
        self.about = AttackDescription(self)
        self._form: Form | None = None
        """The form of the chosen attack, destroyed with the choice: the plan holds the values, and a form has about a hundred widgets."""
        self._attacks: Mapping[str, type[Attack]] = {}
        self._slug = ""
        self._settings = AttackSettings()
        """The parameters that the form shows."""
        self._build(inputs)
        header.presetChosen.connect(self._use_preset)
        header.resetWanted.connect(self._on_reset)

    def _build(self, inputs: QWidget) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.about)
        layout.addWidget(inputs)
        layout.addWidget(_rule(self))
        self._place = QVBoxLayout()
        layout.addLayout(self._place)
        layout.addStretch(1)

    # ------------------------------------------------------------------ to the screen

    @property
    def form(self) -> Form | None:
        """The form of the chosen attack; None before an attack is chosen."""
        return self._form

    def set_attacks(self, attacks: Mapping[str, type[Attack]]) -> None:
        """Set the attacks that can be shown."""
        self._attacks = dict(attacks)

    def show_settings(self, slug: str, settings: AttackSettings) -> None:
        """Show an attack with its parameters, without a signal."""
        form = self._show_attack(slug) if self._form is None or slug != self._slug else self._form
        self._settings = settings  # so that the form's own signal is recognised as no change
        if _changed_values(form) != settings.parameters:
            form.set_values({**_defaults(form), **settings.parameters})

    def _show_attack(self, slug: str) -> Form:
        attack, self._slug = self._attacks[slug], slug
        form = self._new_form(attack)
        self._settings = AttackSettings(_changed_values(form))
        self._header.show_attack(attack.title, [preset.title for preset in attack.presets])
        self.about.show_attack(description(attack), attack.paper)
        return form

    def _new_form(self, attack: type[Attack]) -> Form:
        """Replace the form by one for another attack."""
        before, self._form = self._form, Form(self, says_errors=False, folds=True)  # the footer says errors, since it is always visible
        self._place.addWidget(self._form)
        self._form.show()
        self._form.set_operation(attack)
        self._form.unfold(Settings().text(_UNFOLDED) == "yes")
        self._form.unfolded.connect(self._on_unfolded)
        self._form.changed.connect(self._on_changed)
        if before is not None:
            before.changed.disconnect(self._on_changed)
            before.hide()
            self._place.removeWidget(before)
            before.deleteLater()
        return self._form

    # ------------------------------------------------------------------ from the user

    @Slot(bool)
    def _on_unfolded(self, opened: bool) -> None:
        Settings().keep_text(_UNFOLDED, "yes" if opened else "no")

    @Slot()
    def _on_changed(self) -> None:
        form = self._form
        if form is None:
            return
        changed_values, before = _changed_values(form), self._settings.parameters
        changed = [field for field in form.fields if changed_values.get(field.name, field.default) != before.get(field.name, field.default)]
        if changed:
            first = changed[0]
            self._emit(AttackSettings(changed_values, self._settings.preset), f"Set {first.title}", first.name)

    @Slot()
    def _on_reset(self) -> None:
        if self.form is not None:
            self._fill(AttackSettings(), "Reset parameters")

    @Slot(str)
    def _use_preset(self, title: str) -> None:
        form = self._form
        if form is None:
            return
        values = {**_defaults(form), **self._attacks[self._slug].preset(title).values}
        changed_values = {field.name: values[field.name] for field in form.fields if values[field.name] != field.default}
        self._fill(AttackSettings(changed_values, title), f"Preset {title}")
        self.presetUsed.emit(title)

    def _fill(self, settings: AttackSettings, text: str) -> None:
        self.show_settings(self._slug, settings)
        if self._form is not None:
            self._emit(AttackSettings(_changed_values(self._form), settings.preset), text, "")

    def _emit(self, settings: AttackSettings, text: str, name: str) -> None:
        self._settings = settings
        self.edited.emit(settings, text, name)


def _rule(parent: QWidget) -> QFrame:
    rule = QFrame(parent)
    rule.setFrameShape(QFrame.Shape.HLine)
    rule.setFrameShadow(QFrame.Shadow.Plain)
    rule.setForegroundRole(QPalette.ColorRole.Mid)
    return rule


def _defaults(form: Form) -> dict[str, Any]:
    return {field.name: field.default for field in form.fields}


def _changed_values(form: Form) -> dict[str, Any]:
    """Return the values that differ from their defaults."""
    values = form.values()
    return {field.name: values[field.name] for field in form.fields if values[field.name] != field.default}
