"""FormsStack: the chosen attack, its presets, and the form of its parameters. A view of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.forms import Form
from gui.panels.attack.about import AttackDescription
from gui.panels.attack.catalogue import description
from gui.panels.attack.chooser import Chooser
from gui.session.state import AttackSettings
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from engine import Attack


class FormsStack(QWidget):
    """A header with chooser, presets and reset, then the widget of the goal, then the form."""

    chosen = Signal(str)
    """The user has chosen an attack: its slug."""
    edited = Signal(object, str, str)
    """The user has changed parameters: the new `AttackSettings`, the undo step's name, and the parameter's name if it was one."""
    presetUsed = Signal(str)
    """The user has chosen a preset: its title."""

    def __init__(self, goal: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chooser = Chooser(self)
        self.about = AttackDescription(self)
        self.presets = QToolButton(self)
        self.reset = QToolButton(self)
        self._form: Form | None = None
        """The form of the chosen attack, destroyed with the choice: the plan holds the values, and a form has about a hundred widgets."""
        self._attacks: Mapping[str, type[Attack]] = {}
        self._slug = ""
        self._settings = AttackSettings()
        """The parameters that the form shows."""
        self._build(goal)
        self.chooser.list.chosen.connect(self.chosen)
        self.reset.clicked.connect(self._on_reset)

    def _build(self, goal: QWidget) -> None:
        self.presets.setText("Presets")
        self.presets.setObjectName("attack.presets")
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.presets.setToolTip("Fill in published settings")
        self.presets.setMenu(QMenu(self.presets))
        self.reset.setIcon(theme.icon("mdi6.restore"))
        self.reset.setAutoRaise(True)
        self.reset.setToolTip("Reset every parameter of this attack")
        self.reset.setAccessibleName("Reset parameters")
        header = QHBoxLayout()
        header.setSpacing(4)
        header.addWidget(self.chooser, 1)
        header.addWidget(self.presets)
        header.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(header)
        layout.addWidget(self.about)
        layout.addWidget(goal)
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
        """List the attacks."""
        self._attacks = dict(attacks)
        self.chooser.list.set_attacks(attacks)

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
        with QSignalBlocker(self.chooser.list):
            self.chooser.list.choose(slug)
        self.chooser.set_title(attack.title)
        self.about.show_attack(description(attack), attack.paper)
        menu = self.presets.menu()
        menu.clear()
        for title in (preset.title for preset in attack.presets):
            menu.addAction(literal(title)).triggered.connect(lambda _checked=False, title=title: self._use_preset(title))
        self.presets.setVisible(bool(attack.presets))
        return form

    def _new_form(self, attack: type[Attack]) -> Form:
        """Replace the form by one for another attack."""
        before, self._form = self._form, Form(self, says_errors=False)  # the footer shows them, since it is always visible
        self._place.addWidget(self._form)
        self._form.show()
        self._form.set_operation(attack)
        self._form.changed.connect(self._on_changed)
        if before is not None:
            before.changed.disconnect(self._on_changed)
            before.hide()
            self._place.removeWidget(before)
            before.deleteLater()
        return self._form

    # ------------------------------------------------------------------ from the user

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
