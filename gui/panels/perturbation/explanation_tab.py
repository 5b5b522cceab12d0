"""ExplanationTab: the chosen explanation with its parameters, and its maps of the clean and the adversarial image."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from gui.forms import Form
from gui.plots.colour_maps import MAGMA, Colours, Values, diverging, diverging_table, sequential
from gui.plots.pixel_maps import CaptionedMaps, PixelMap, PixelMaps, Scale
from gui.theme import ADVERSARIAL, CLEAN, GRID, is_dark
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.explain import ExplainedPair, Explanation, Observation
    from gui.session.scene import Frame


QUANTILE = 0.995
"""Where the scale ends, as a share of the pixels; the same as in figures."""


class ExplanationTab(QWidget):
    """A view that shows the chosen explanation: a chooser if there are several, a form if it has parameters, and its maps."""

    chosen = Signal(object)
    """The user has chosen an `Explanation`, or changed its parameters."""
    changed = Signal()
    """The colours have changed with the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chooser, self.title = QComboBox(), QLabel()
        self.maps, self.caption = PixelMaps(), Sentence(4, muted=True)
        self._explanations: Mapping[str, type[Explanation]] = {}
        self._forms: dict[str, Form] = {}
        """The forms by slug, built when an explanation is first shown. Each keeps its parameters while another one is shown."""
        self._explanation: Explanation | None = None
        self._painted: Explanation | None = None
        """The explanation of the maps that are shown."""
        self._limit = 0.0
        """The upper limit of the maps' scale."""
        self._build()

    def _build(self) -> None:
        self.chooser.setAccessibleName("Explanation")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(8)
        self.chooser.activated.connect(self._on_activated)
        self.maps.setAccessibleName("Explanation maps")
        self._place = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.chooser)
        layout.addWidget(self.title)
        layout.addLayout(self._place)
        self._captioned = CaptionedMaps(self.maps, self.caption)
        layout.addWidget(self._captioned, 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.changed.emit()

    # ------------------------------------------------------------------ to the screen

    def set_explanations(self, explanations: Mapping[str, type[Explanation]]) -> None:
        """List explanations; if there is only one, its title is shown in place of the chooser."""
        self._explanations = dict(explanations)
        self.chooser.clear()
        for slug, kind in explanations.items():
            self.chooser.addItem(kind.title, slug)
            self.chooser.setItemData(self.chooser.count() - 1, _description(kind), Qt.ItemDataRole.ToolTipRole)
        self.chooser.setVisible(len(explanations) > 1)
        self.title.setVisible(len(explanations) == 1)

    def show_explanation(self, explanation: Explanation) -> None:
        """Show the chosen explanation with its parameters, without a signal."""
        self._explanation = explanation  # so that the form's own signal is recognised as no change
        slug, tip = explanation.slug, _description(type(explanation))
        with QSignalBlocker(self.chooser):
            self.chooser.setCurrentIndex(self.chooser.findData(slug))
        self.title.setText(explanation.title)
        for widget in (self.chooser, self.title, self.maps):
            widget.setToolTip(tip)
        form = self._form(slug)
        if form.operation != explanation:
            form.set_values({field.name: getattr(explanation, field.name) for field in form.fields})
        for name, each in self._forms.items():
            each.setVisible(name == slug and bool(each.fields))

    def _form(self, slug: str) -> Form:
        if slug not in self._forms:
            self._forms[slug] = form = Form(self)
            self._place.addWidget(form)
            form.set_operation(self._explanations[slug])
            form.changed.connect(self._on_form)
        return self._forms[slug]

    # ------------------------------------------------------------------ from the user

    @Slot(int)
    def _on_activated(self, place: int) -> None:
        slug = self.chooser.itemData(place)
        self.chosen.emit(self._form(slug).operation or self._explanations[slug]())

    @Slot()
    def _on_form(self) -> None:
        if self._explanation is None:
            return
        made = self._forms[self._explanation.slug].operation
        if made is not None and made != self._explanation:
            self.chosen.emit(made)

    # ------------------------------------------------------------------ painting

    def show_frame(self, frame: Frame | None) -> None:
        """Show the maps of the chosen explanation, or say why there are none."""
        chosen = self._explanation
        if frame is None or chosen is None:
            self._clear("")
            return
        seen = frame.observation
        if chosen.slug in seen.failures:
            self._clear(seen.failures[chosen.slug])
        elif chosen.slug in seen.explanations:
            self._paint(seen.explanations[chosen.slug], seen, frame.scene.classifier.labels)
        elif self._painted is None or self._painted.slug != chosen.slug:
            self._clear("Computing…")  # maps of the same explanation stay until the next ones arrive

    def _clear(self, note: str) -> None:
        self._painted, self._limit = None, 0.0
        self.maps.set_maps((), Scale(), note)
        self.caption.set_text("")

    def _paint(self, explained: ExplainedPair, seen: Observation, labels: tuple[str, ...]) -> None:
        explanation = explained.explanation
        if explanation != self._painted:
            self._painted, self._limit = explanation, 0.0
        clean, adversarial = explained.clean.numpy(), explained.adversarial.numpy()
        self._limit = limit = locked(self._limit, max(_reach(clean), _reach(adversarial)))
        dark, signed = is_dark(self.palette()), explanation.signed
        over = any(bool((np.abs(values) > limit).any()) for values in (clean, adversarial))
        end = f"{'≥ ' if over else ''}{'+' if signed else ''}{limit:.3g}"
        texts = (f"{'≤ ' if over else ''}−{limit:.3g}", "0", end) if signed else ("0", end)

        def coloured(values: Values) -> Colours:
            return diverging(values, limit, dark) if signed else sequential(values, limit)

        self.maps.set_maps(
            [
                PixelMap(f"Clean: {labels[seen.clean_prediction]}", coloured(clean), CLEAN, clean),
                PixelMap(f"Adversarial: {labels[seen.adversarial_prediction]}", coloured(adversarial), ADVERSARIAL, adversarial),
            ],
            Scale(diverging_table(dark) if signed else MAGMA, texts),
        )
        scale = f"It ends at the {100 * QUANTILE:g}th percentile, rounded up: a few pixels exceed it." if over else ""
        self.caption.set_text(" ".join(filter(None, [explanation.caption, scale])))
        self._captioned.fit()


def locked(limit: float, largest: float) -> float:
    """Return a scale's upper limit: ``limit`` stays unless ``largest`` exceeds it, or uses less than a quarter of it."""
    if 0.25 * limit <= largest <= limit and limit > 0:
        return limit
    from engine.explain.activations import round_up

    return round_up(largest)


def _reach(values: Values) -> float:
    """Return the percentile of the finite values' magnitudes at which the scale ends: a few far larger ones would leave the rest black."""
    finite = np.abs(values[np.isfinite(values)])
    if not finite.size:
        return 0.0
    return float(np.quantile(finite, QUANTILE)) or float(finite.max())


def _description(kind: type[Explanation]) -> str:
    """Return the description of an explanation and its paper."""
    first = " ".join((inspect.getdoc(kind) or kind.title).split("\n\n")[0].split())
    return f"{first}\n{kind.paper}".strip()
