"""AttackDock: the Attack dock as the user sees it, with its controls found by their accessible names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QRadioButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from gui.choosers.attacks import AttackList
from gui.forms import Form
from gui.forms.editors import Editor
from gui.panels.attack.about import AttackDescription
from gui.panels.attack.inputs import Inputs
from gui.panels.attack.readings import AttackReadings
from gui.panels.attack.start_field import StartField
from gui.shell.spine.attack import AttackChip
from gui.widgets import DataChooser, LabelCombo, Message
from tests.gui.lone_spine import LoneSpine
from tests.gui.seen import named, text_of

if TYPE_CHECKING:
    from engine import Attack
    from gui.app import Workbench
    from gui.panels.attack import AttackPanel
    from gui.session.session import Session
    from gui.session.start_image import StartImage


def attack_dock(bench: Workbench) -> AttackDock:
    """Return the driver of a window's Attack dock."""
    return AttackDock(bench.window.panels["attack"], bench.session)


class AttackDock:
    """Reads the dock's texts and fields, and operates its controls."""

    def __init__(self, panel: AttackPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.spine = LoneSpine(session)
        """The chips of the same session."""

    # ------------------------------------------------------------------ contents

    @property
    def message(self) -> Message:
        """The message above the buttons, visible or not."""
        (message,) = named(self.panel, QWidget, "attack.footer").findChildren(Message)
        return message

    @property
    def says(self) -> str:
        """The sentence that the dock shows; empty if it shows none."""
        return self.message.text if self.message.isVisible() else ""

    @property
    def can_run(self) -> bool:
        """Whether nothing is in the way of the planned attack."""
        return self.session.planned.obstacle is None

    @property
    def presets(self) -> QToolButton:
        return named(self.panel, QToolButton, "attack.presets")

    @property
    def reset_button(self) -> QToolButton:
        return named(self.panel, QToolButton, "Reset parameters")

    @property
    def readings(self) -> AttackReadings:
        (readings,) = self.panel.findChildren(AttackReadings)
        return readings

    @property
    def chooser(self) -> AttackChip:
        """The spine's chip that chooses the attack."""
        return self.spine.attack

    @property
    def catalogue(self) -> AttackList:
        """The list of attacks in its popup."""
        return self.chooser.list

    @property
    def title(self) -> str:
        """The title above the form."""
        return named(self.panel, QLabel, "Attack that is set up").text()

    @property
    def groups(self) -> list[QTreeWidgetItem]:
        """The groups of the list, with the attacks as their children."""
        tree = named(self.catalogue, QTreeWidget, "Attacks")
        return [item for i in range(tree.topLevelItemCount()) if (item := tree.topLevelItem(i)) is not None]

    @property
    def set_up(self) -> QWidget:
        """The scrolled part: the form and everything above it."""
        return self.form.parentWidget()

    @property
    def description(self) -> str:
        """The whole description of the attack, also while it is folded."""
        (about,) = self.panel.findChildren(AttackDescription)
        return max((label.text() for label in about.findChildren(QLabel)), key=len)

    @property
    def read_description(self) -> str:
        """The visible part of the description, with the paper if it is unfolded."""
        (about,) = self.panel.findChildren(AttackDescription)
        return "\n".join(text_of(label) for label in about.findChildren(QWidget) if text_of(label) and label.isVisible())

    @property
    def paper(self) -> str:
        """The citation, with its link."""
        return next((label.text() for label in self.panel.findChildren(QLabel) if "arxiv.org" in label.text()), "")

    @property
    def form(self) -> Form:
        """The form of the chosen attack's parameters."""
        (form,) = (form for form in self.panel.findChildren(Form) if form.isVisibleTo(form.parentWidget()))
        return form

    def field(self, name: str) -> Editor:
        """The editor of a parameter."""
        return self.form.editor(name)

    @property
    def label(self) -> LabelCombo:
        """The true label, in the popup of the spine's goal."""
        return self.spine.form.label

    @property
    def target(self) -> LabelCombo:
        """The target, in the popup of the spine's goal."""
        return self.spine.form.target

    @property
    def whole(self) -> QRadioButton:
        return named(self.panel, QRadioButton, "whole image")

    @property
    def stickers(self) -> QRadioButton:
        return named(self.panel, QRadioButton, "stickers")

    @property
    def seed(self) -> QSpinBox:
        return named(self.panel, QSpinBox, "Seed")

    @property
    def live(self) -> QCheckBox:
        return named(self.panel, QCheckBox, "live preview")

    @property
    def data(self) -> DataChooser:
        (inputs,) = self.panel.findChildren(Inputs)
        (data,) = inputs.findChildren(DataChooser)
        return data

    @property
    def data_sets(self) -> QComboBox:
        return named(self.panel, QComboBox, "Data set")

    @property
    def start_field(self) -> StartField:
        (start,) = self.panel.findChildren(StartField)
        return start

    @property
    def slider(self) -> QSlider:
        return named(self.panel, QSlider, "eps of the finished run")

    # ------------------------------------------------------------------ the plan

    @property
    def attack(self) -> Attack | None:
        """The attack that a press of Run would start; None if its parameters are refused."""
        return self.session.plan.built[0]

    @property
    def start(self) -> StartImage | None:
        """The start image of the plan."""
        return self.session.plan.start

    # ------------------------------------------------------------------ operating the dock

    def run(self) -> None:
        """Run the attack, as the spine's button and the menu's command do."""
        self.session.planned.run()

    def choose(self, slug: str) -> None:
        """Choose an attack by its slug, as the spine's list does."""
        self.session.planned.choose(slug)

    def set(self, **values: Any) -> None:
        """Set parameters in the form."""
        self.form.set_values(values)

    def use_preset(self, title: str) -> None:
        """Choose a preset of the menu by its title."""
        next(action for action in self.presets.menu().actions() if action.text() == title).trigger()

    def press(self, button: QWidget) -> None:
        """Click a button in its middle."""
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
