"""DefensePanel: switches preprocessing on, chooses the attacker, and shows whether the attack on the canvas survives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from gui.forms import Form
from gui.forms.parts import PartsEdit
from gui.panels.frame_panel import FrameView
from gui.session.scene import to_pixels
from gui.session.survival import attacker_words, goal_of, longest_answer, survival
from gui.theme import ADVERSARIAL, CLEAN, GRID, LABEL
from gui.widgets import scrolling
from gui.widgets.attackers_bar import AttackersBar
from gui.widgets.image_pair import Cell, ImagePair
from gui.widgets.message import Message
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from torch import Tensor

    from engine.explain import Defended
    from gui.session.scene import Frame
    from gui.session.session import Session

_EMPTY = (
    "Add a step that changes every image before the model sees it, such as JPEG or fewer bits: "
    "its effect on both images appears here at once."
)
_NO_IMAGE = "Load a model and open an image to see what the defense changes."
_LATER = "This defense is slow, so its effect is shown when the attack has ended or is paused."
_PICTURES = "Both images as the network sees them behind the defense; of several noisy copies the first"
_COMING = "Computing what the defense changes…"


class DefensePanel(FrameView):
    """The steps of the defense with sliders, the attacker, the answer, the pictures behind the defense, and both attackers' numbers."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.steps: PartsEdit | None = None
        """The editor of the steps, once the engine is loaded."""
        self.unaware = QRadioButton("does not know the defense")
        self.aware = QRadioButton("knows it: the attack goes through it")
        self.answer, self.against = Sentence(4, bold=True), Sentence(2, muted=True)
        self.hint = QLabel(_EMPTY)
        self.hint.setWordWrap(True)
        self.hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.pictures = ImagePair("behind-the-defense", _PICTURES)
        self.bar = AttackersBar(session.attackers)
        self._trouble_of_step = Message()
        self._question = QLabel("The attacker of the next run")
        self._build()
        self._connect()
        self._on_defense()

    def _build(self) -> None:
        self._attacker = QButtonGroup(self)
        for button, tip in (
            (self.unaware, "The attack is made on the model without the defense; its image then meets the defense"),
            (
                self.aware,
                "The attack is made through the defense, with its adaptive gradient: straight through, or averaged over its noise",
            ),
        ):
            self._attacker.addButton(button)
            button.setToolTip(tip)
        self._editor = QVBoxLayout()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._editor)
        for widget in (self._trouble_of_step, self.hint, self._question, self.unaware, self.aware, self.answer, self.against):
            column.addWidget(widget)
        column.addWidget(self.pictures, 20)
        column.addWidget(self.bar)
        column.addStretch(1)
        whole = QVBoxLayout(self.body)
        whole.setContentsMargins(GRID, 4, GRID, GRID)
        whole.addWidget(scrolling(inner))

    def _connect(self) -> None:
        session = self.session
        self.aware.toggled.connect(self._on_attacker)
        self.bar.chosen.connect(session.show_entry)
        session.engineReady.connect(self._on_ready)
        session.defenseChanged.connect(self._on_defense)
        session.planChanged.connect(self._on_plan)
        session.history.changed.connect(self.refresh)
        session.runs.changed.connect(self.refresh)
        session.labelChanged.connect(self.refresh)
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ the steps

    @Slot()
    def _on_ready(self) -> None:
        """Make the editor of the steps, which needs the engine."""
        if self.steps is not None:
            return
        from engine.defenses.preprocessing import RECIPES
        from engine.parameters import Parameter

        doc = "Steps that change every image before the network sees it, one after the other."
        field = Parameter("defense", "parts", (), "", "defense", doc=doc, parts=RECIPES)
        self.steps = PartsEdit(field, _form_of_step, self)
        self._editor.addWidget(self.steps)
        self.steps.sigChanged.connect(self._on_steps)
        self._on_defense()

    @Slot()
    def _on_steps(self) -> None:
        """Take the steps over. While one is refused, the defense stays as it was."""
        assert self.steps is not None
        refused = self.steps.error
        self._trouble_of_step.say(f"{refused} The defense stays as it was." if refused else "")
        if not refused and self.steps.value() != self.session.defense:
            self.session.set_defense(self.steps.value())

    @Slot()
    def _on_defense(self) -> None:
        """Follow the defense that is switched on: undo, a study, or a run that was shown may have changed it."""
        steps = self.session.defense
        if self.steps is not None and self.steps.value() != steps:
            self.steps.setValue(steps)
        for widget in (self._question, self.unaware, self.aware, self.answer, self.against):
            widget.setVisible(bool(steps))
        self.hint.setVisible(not steps)
        self._on_plan()
        self.refresh()

    # ------------------------------------------------------------------ the attacker

    @Slot(bool)
    def _on_attacker(self, knows: bool) -> None:
        if knows != self.session.plan.knows_defense:
            self.session.set_attacker(knows)

    @Slot()
    def _on_plan(self) -> None:
        (self.aware if self.session.plan.knows_defense else self.unaware).setChecked(True)

    # ------------------------------------------------------------------ the effect

    def show_frame(self, frame: Frame | None) -> None:
        steps = self.session.defense
        defended = None if frame is None else frame.observation.defended
        self.pictures.setVisible(bool(steps) and defended is not None)
        self.against.set_text("")
        if frame is None:
            self.answer.set_text(_NO_IMAGE)
        if frame is None or not steps:
            return
        shown = self.session.history.shown
        seen, labels = frame.observation, frame.scene.classifier.labels
        self.answer.take_room_for(longest_answer(labels))  # the pictures below stay in their place while answers change
        sentence, success = survival(seen, labels, goal_of(self.session.state, shown, seen))
        self.answer.set_text(sentence or (_LATER if self.session.runs.running else _COMING), _colour(success))
        if defended is not None:
            self.against.set_text(attacker_words(self.session.state, shown))
            self.pictures.show_cells(_cells(frame, defended))


def _form_of_step(parent: QWidget) -> Form:
    """Return the form of one step: with sliders, and without the gradient, which follows from the attacker."""
    return Form(parent, sliders=True, hides=("gradient",))


def _colour(success: bool | None) -> str | None:
    return None if success is None else ADVERSARIAL if success else LABEL


def _cells(frame: Frame, defended: Defended) -> tuple[Cell, Cell]:
    seen, labels = frame.observation, frame.scene.classifier.labels

    def cell(name: str, image: Tensor, before: Tensor, after: Tensor, colour: str) -> Cell:
        return Cell(to_pixels(image), (f"{name}, defended", _top(after, labels), f"without: {_top(before, labels)}"), colour)

    return (
        cell("clean", defended.clean_image, seen.clean, defended.clean, CLEAN),
        cell("adversarial", defended.adversarial_image, seen.adversarial, defended.adversarial, ADVERSARIAL),
    )


def _top(probabilities: Tensor, labels: Any) -> str:
    from engine.text.formatting import format_probability

    best = int(probabilities.argmax())
    return f"{labels[best]} {format_probability(float(probabilities[best]))}"
