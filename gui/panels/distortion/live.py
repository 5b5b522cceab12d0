"""LiveDistortion: one distortion whose strength is dragged; pictures, bars and the answer follow, and a strip shows all strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.panels.distortion.looks import Answer, Look, death, fate, look, story
from gui.panels.distortion.strength import StrengthEdit
from gui.panels.distortion.strip import StripCell, SurvivalStrip
from gui.plots.bars import ProbabilityBars, Row
from gui.session.survival import Goal, goal_of
from gui.theme import ADVERSARIAL, CLEAN, LABEL
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.image_pair import Cell, ImagePair
from gui.widgets.message import Message
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from torch import Tensor

    from engine.evaluate.distortion import Distortion
    from gui.session.scene import Frame
    from gui.session.session import Session

_SETTLE_MS = 150
"""Milliseconds without a new frame after which the strip is asked for, which takes a dozen forward passes."""
_MOST_ROWS = 5
_PICTURES = "Both images as a camera or a file would have them, at the strength that is set"
_SAME = "Nothing is changed on the canvas yet. Draw a sticker or run an attack to see what survives."
_WRONG = "The clean image is misread as it is, so there is nothing for an attack to survive."
_FAILS = "The image on the canvas does not fool the model as it is, so there is no attack to survive."
_STRIP = "The adversarial image at each strength. A line stands where the attack dies. Click one to choose its strength."


class LiveDistortion(QWidget):
    """Asks the engine at every change; only the newest question waits."""

    def __init__(self, session: Session, kinds: Sequence[Distortion], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._kinds = session, {kind.slug: kind for kind in kinds}
        self._frame: Frame | None = None
        self.shown: Answer | None = None
        """The answer that the pictures and the bars show."""
        self.strip_shown: Answer | None = None
        """The answer that the strip shows."""
        self._classes: list[int] = []
        """The classes of the bars, which keep their places while the strength is dragged."""
        self.kind_combo, self.strength = ElidedCombo(self), StrengthEdit(self)
        self.message = Message(self)
        self.now, self.story = Sentence(3, bold=True, snug=True, parent=self), Sentence(4, snug=True, parent=self)
        self.strip = SurvivalStrip(self)
        self.pictures, self.bars = ImagePair("distorted", _PICTURES, self), ProbabilityBars(self)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLE_MS)
        self._lay_out()
        self._connect()
        self.strength.set_kind(self.kind)

    def _lay_out(self) -> None:
        self.kind_combo.setAccessibleName("Distortion")
        self.kind_combo.setToolTip("What happens to both images before the model sees them")
        for kind in self._kinds.values():
            self.kind_combo.addItem(kind.title, kind.slug)
        self.strip.setToolTip(_STRIP)
        self.bars.setAccessibleName("Probabilities under the distortion")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.kind_combo, self.strength, self.message, self.now, self.strip, self.story):
            column.addWidget(widget)
        column.addWidget(self.pictures, 3)
        column.addWidget(self.bars, 1)
        column.addStretch(0)

    def _connect(self) -> None:
        self.kind_combo.currentIndexChanged.connect(self._on_kind)
        self.strength.changed.connect(self._on_strength)
        self.strip.picked.connect(self._on_picked)
        self._settled.timeout.connect(self._ask_strip)

    @property
    def kind(self) -> Distortion:
        """The distortion that is chosen."""
        return self._kinds[self.kind_combo.currentData()]

    @property
    def _goal(self) -> Goal | None:
        frame, session = self._frame, self._session
        return None if frame is None else goal_of(session.state, session.history.shown, frame.observation)

    # ------------------------------------------------------------------ what changes

    def show_frame(self, frame: Frame) -> None:
        """Follow the canvas."""
        if (
            self._frame is None
            or frame.scene.classifier is not self._frame.scene.classifier
            or frame.scene.clean is not self._frame.scene.clean
        ):
            self._forget()
        same, self._frame = frame is self._frame, frame
        if same and self.shown is not None and self.shown.frame is frame:
            self._show_answers()  # the label or the run may be another one
        else:
            self._ask()
            self._settled.start()

    @Slot()
    def _on_kind(self) -> None:
        self._forget()
        self.strength.set_kind(self.kind)
        self._ask_strip()

    def _forget(self) -> None:
        """Clear the strip and the choice of the bars, since both are of another distortion or image."""
        self._classes, self.strip_shown = [], None
        self.strip.set_cells((), None)
        self.story.set_text("")

    @Slot()
    def _on_strength(self) -> None:
        self.message.say(f"{self.strength.problem} The strength stays as it was." if self.strength.problem else "")
        self._mark()
        if not self.strength.problem:
            self._ask()

    @Slot(int)
    def _on_picked(self, place: int) -> None:
        self.strength.set_strength(self.kind.strengths[place])

    # ------------------------------------------------------------------ questions

    def _ask(self) -> None:
        frame, kind, strength = self._frame, self.kind, self.strength.strength
        if frame is not None:
            self._request("distortion", frame, kind, (strength,), self._on_look)

    @Slot()
    def _ask_strip(self) -> None:
        frame, kind = self._frame, self.kind
        if frame is not None and self.isVisible():
            self._request("distortion.strip", frame, kind, kind.strengths, self._on_strip)

    def _request(self, key: str, frame: Frame, kind: Distortion, strengths: Sequence[float], then: Any) -> None:
        self._session.ask(
            key,
            lambda: look(frame, kind, strengths),
            then,
            what="Distorting the images",
            failed=self.message.say,
            stream=True,
            quiet=True,
        )

    def _on_look(self, answer: Answer) -> None:
        if answer.kind is self.kind and self._session.is_current(answer.frame.scene):
            self.shown = answer
            self._show_answers()

    def _on_strip(self, answer: Answer) -> None:
        if answer.kind is self.kind and self._session.is_current(answer.frame.scene):
            self.strip_shown = answer
            self._show_answers()

    # ------------------------------------------------------------------ answers

    def _show_answers(self) -> None:
        goal = self._goal
        if goal is None:
            return
        if self.strip_shown is not None and self.strip_shown.kind is self.kind:
            self._show_strip(goal, self.strip_shown)
        if self.shown is not None and self.shown.kind is self.kind:
            self._show_look(goal, self.shown)

    def _show_strip(self, goal: Goal, answer: Answer) -> None:
        labels, looks = answer.frame.scene.classifier.labels, answer.looks
        cells = tuple(_strip_cell(each, labels, goal) for each in looks)
        attacked = self._nothing(goal, answer.frame) == ""
        self.strip.set_cells(cells, death(goal, looks) if attacked else None)
        self.story.set_text(story(goal, looks) if attacked else self._nothing(goal, answer.frame))
        self._mark()

    def _nothing(self, goal: Goal, frame: Frame) -> str:
        """Return the sentence that says why there is no attack that could survive; empty if there is one."""
        seen = frame.observation
        if goal.reached(seen.clean_prediction):
            return _WRONG
        if seen.norms["linf"] == 0:
            return _SAME
        return "" if goal.reached(seen.adversarial_prediction) else _FAILS

    def _show_look(self, goal: Goal, answer: Answer) -> None:
        each, labels = answer.looks[0], answer.frame.scene.classifier.labels
        ended = fate(goal, each)
        words = {"alive": "the attack succeeds", "undone": "the attack is undone", "both": "but so is the clean image"}[ended]
        attacked = self._nothing(goal, answer.frame) == ""
        read = f"{each.shown}: read as “{labels[each.adversarial_prediction]}”"
        colour = {"alive": ADVERSARIAL, "undone": LABEL, "both": None}[ended]
        self.now.set_text(f"{read}, {words}." if attacked else f"{read}.", colour if attacked else None)
        self.pictures.show_cells(
            (
                Cell(each.clean_pixels, ("clean, distorted", _top(each.clean, labels)), CLEAN),
                Cell(each.adversarial_pixels, ("adversarial, distorted", _top(each.adversarial, labels)), ADVERSARIAL),
            )
        )
        self.bars.set_rows(self._rows(goal, each, labels))

    def _rows(self, goal: Goal, each: Look, labels: Sequence[str]) -> list[Row]:
        best = _best(each.clean, 2) + _best(each.adversarial, _MOST_ROWS)
        wanted = [goal.label, *([] if goal.target is None else [goal.target]), each.clean_prediction, each.adversarial_prediction]
        if len(self._classes) < min(_MOST_ROWS, len(labels)):
            self._classes = list(dict.fromkeys([*wanted, *best]))[:_MOST_ROWS]
        for number in wanted:
            if number not in self._classes:  # a class that was not there takes the last row
                self._classes[-1] = number
        return [
            Row(
                labels[number],
                float(each.clean[number]),
                float(each.adversarial[number]),
                is_label=number == goal.label,
                is_target=number == goal.target,
            )
            for number in self._classes
        ]

    def _mark(self) -> None:
        """Mark the cell of the strip whose strength is set."""
        known, strength = self.kind.strengths, self.strength.strength
        self.strip.set_chosen(known.index(strength) if strength in known else None)


def _best(probabilities: Tensor, count: int) -> list[int]:
    """Return the most probable classes."""
    return [int(place) for place in probabilities.topk(min(count, len(probabilities))).indices]


def _strip_cell(each: Look, labels: Sequence[str], goal: Goal) -> StripCell:
    from engine.text.formatting import format_probability

    best = each.adversarial_prediction
    shown = format_probability(float(each.adversarial[best]))
    return StripCell(each.adversarial_pixels, each.shown, labels[best], shown, fate(goal, each))


def _top(probabilities: Tensor, labels: Sequence[str]) -> str:
    from engine.text.formatting import format_probability

    best = int(probabilities.argmax())
    return f"{labels[best]} {format_probability(float(probabilities[best]))}"
