"""Transfer: the predictions of other models for one attack's result, with random noise of the same size as the control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.class_matching import same_classes
from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.evaluate.control import control
from engine.operation import Attack
from engine.ranking import fraction
from engine.result import AttackResult
from engine.text.formatting import format_probability

NOTHING = "–"
"""Text of a table cell without a value."""
_CHANGED = ("adversarial", "random noise")
"""The images that every model is evaluated on."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The predictions of one model for the images of a result."""

    name: str
    attacked: bool
    """Whether this is the model that was attacked."""
    labels: tuple[str, ...]
    """The model's class names."""
    excuse: str = ""
    """Reason why the model cannot be evaluated; there are then no logits."""
    classes: Tensor | None = None
    """The images' labels as class numbers of this model, ``(N,)``. None: it has other classes, so accuracy is undefined."""
    targets: Tensor | None = None
    """The targets as class numbers of this model, ``(N,)``."""
    clean: Tensor | None = None
    """Logits of the clean images, ``(N, K)``."""
    adversarial: Tensor | None = None
    """Logits of the adversarial images, ``(N, K)``."""
    noise: Tensor | None = None
    """Logits of the random-noise control, ``(N, K)``; None: not requested."""
    source_fooled: Tensor | None = None
    """Rows in which the attack succeeded on the attacked model, ``(N,)`` bool."""

    @property
    def comparable(self) -> bool:
        """Whether the model takes the images and has the classes, so that accuracy is defined."""
        return self.clean is not None and self.classes is not None

    @property
    def changed(self) -> Tensor | None:
        """Rows in which the model's own prediction differs between clean and adversarial image, ``(N,)`` bool."""
        if self.clean is None or self.adversarial is None:
            return None
        return self.adversarial.argmax(1) != self.clean.argmax(1)

    @property
    def fooled(self) -> Tensor | None:
        """Rows that are right on the clean and wrong on the adversarial image, ``(N,)`` bool. None where that is undefined."""
        if self.clean is None or self.adversarial is None or self.classes is None:
            return None
        return (self.clean.argmax(1) == self.classes) & (self.adversarial.argmax(1) != self.classes)

    @property
    def reached(self) -> Tensor | None:
        """Rows in which the model predicts the target of a targeted attack, ``(N,)`` bool. None where there is none."""
        if self.adversarial is None or self.targets is None:
            return None
        return self.adversarial.argmax(1) == self.targets

    def accuracy(self, logits: Tensor | None) -> float | None:
        """Return the share of rows in which ``logits`` (of this model: clean, adversarial, noise) are right."""
        if logits is None or self.classes is None:
            return None
        return fraction(logits.argmax(1) == self.classes)

    @property
    def counted(self) -> int:
        """Number of rows behind the transfer rate."""
        return 0 if (rows := self._counted_rows()) is None else int(rows.sum())

    @property
    def rate(self) -> float | None:
        """The transfer rate: the share that also fools this model, of the rows that fool the source and that this model had right.

        For a model with other classes it is the share of rows in which its own prediction changed, of those that fool the source. None: no
        such row.
        """
        rows, hit = self._counted_rows(), self.fooled if self.classes is not None else self.changed
        if rows is None or hit is None or not bool(rows.any()):
            return None
        return fraction(hit[rows])

    def _counted_rows(self) -> Tensor | None:
        if self.clean is None or self.source_fooled is None:
            return None
        return self.source_fooled if self.classes is None else self.source_fooled & (self.clean.argmax(1) == self.classes)


@dataclass(frozen=True, eq=False)
class Transfer:
    """The predictions of every model for one result, the attacked model first."""

    verdicts: tuple[Verdict, ...]
    rows: int
    """Number of images, N."""
    title: str
    clean_name: str = "clean"
    """Heading of the images that the attack began from, such as “clean, with stickers” where stickers were painted on them."""

    @property
    def _kinds(self) -> tuple[str, ...]:
        return self.clean_name, *_CHANGED

    def table(self) -> Table:
        """Return one row per model: predictions with probabilities for a single image, accuracies and the transfer rate for a batch."""
        return self._single() if self.rows == 1 else self._batch()

    def data(self) -> Table:
        """Return the table with every number as a number, for other programs: label, probability and logit in columns of their own.

        Accuracies, rates and probabilities are shares in [0, 1]. None: undefined.
        """
        return self._single_data() if self.rows == 1 else self._batch_data()

    def _single_data(self) -> Table:
        columns = ["model", *(f"{kind} {what}" for kind in self._kinds for what in ("label", "probability", "logit")), "verdict"]
        rows = [
            (v.name, *(cell for logits in (v.clean, v.adversarial, v.noise) for cell in _prediction(v, logits)), _sentence(v))
            for v in self.verdicts
        ]
        return Table(tuple(columns), tuple(rows), self.title)

    def _batch_data(self) -> Table:
        columns = ("model", *(f"{kind} accuracy" for kind in self._kinds), "transfer rate", "of images", "reaches the target", "note")
        rows = []
        for v in self.verdicts:
            reached = None if v.reached is None else fraction(v.reached)
            accuracies = (v.accuracy(logits) for logits in (v.clean, v.adversarial, v.noise))
            rows.append((v.name, *accuracies, v.rate, None if v.clean is None else v.counted, reached, _note(v)))
        return Table(columns, tuple(rows), self.title)

    def _single(self) -> Table:
        columns = ("model", *self._kinds, "verdict")
        rows = tuple(
            (v.name, *(_prediction_text(v, logits) for logits in (v.clean, v.adversarial, v.noise)), _sentence(v)) for v in self.verdicts
        )
        return Table(columns, rows, self.title)

    def _batch(self) -> Table:
        targeted = any(v.targets is not None for v in self.verdicts)
        columns = ["model", *(f"accuracy, {kind}" for kind in self._kinds), "transfer rate", "of images"]
        columns += ["reaches the target", "note"] if targeted else ["note"]
        return Table(tuple(columns), tuple(self._of_batch(v, targeted) for v in self.verdicts), self.title)

    def _of_batch(self, verdict: Verdict, targeted: bool) -> tuple[str, ...]:
        cells = [verdict.name, *(_percent(verdict.accuracy(logits)) for logits in (verdict.clean, verdict.adversarial, verdict.noise))]
        cells += [_percent(verdict.rate), str(verdict.counted) if verdict.clean is not None else NOTHING]
        if targeted:
            reached = verdict.reached
            cells.append(_percent(None if reached is None else fraction(reached)))
        return (*cells, _note(verdict))


@torch.no_grad()
def transfer(
    result: AttackResult,
    models: Sequence[Classifier],
    *,
    noise: bool = True,
    mask: Tensor | None = None,
    seed: int = 0,
    clean_name: str = "clean",
) -> Transfer:
    """Evaluate ``models`` on the clean and the adversarial images of ``result``, the attacked model first.

    A model of another size gets the images through a resize of its own (``derive(size=...)``); one with another number of channels is left
    out, with the reason in ``excuse``. Labels are matched by name; for a model with other classes only changes of its own prediction count.
    There are two forward passes per model, three with ``noise``.

    Papernot, McDaniel, Goodfellow 2016, arXiv 1605.07277 (transfer between models); the control shows the effect of noise of the same size.

    Parameters
    ----------
    result
        The result of an attack.
    models
        The other models; the attacked one may be among them.
    noise
        Whether to evaluate random noise as large as the perturbation, too (see `control`). Ignored where images were grown from noise.
    mask
        ``(N or 1, 1, H, W)``: the pixels that the attack could change, to which the noise is confined as well.
    seed
        Seed of the noise.
    clean_name
        Heading of the images that the attack began from, see `Transfer.clean_name`.
    """
    for model in models:
        if not isinstance(model, Classifier):
            raise GibbonError(
                f"Transfer asks classifiers, but one is of type {type(model).__name__}: {model!r:.60}. Load it: engine.models.load(...)."
            )
    grown = isinstance(result.operation, Attack) and not result.operation.from_image
    random = control(result.clean, result.adversarial, mask, seed) if noise and not grown else None
    others = [model for model in models if model is not result.classifier]
    verdicts = tuple(ask(model, result, random) for model in (result.classifier, *others))
    return Transfer(verdicts, len(result.clean), f"Transfer of {result.operation.title} on “{result.classifier.name}”", clean_name)


def as_taken(model: Classifier, shape: Sequence[int]) -> Classifier | None:
    """Return ``model`` for images of ``shape`` (C, H, W), with a resize inside where its own size differs. None: other channels."""
    channels, height, width = shape
    if model.input_shape[0] != channels:
        return None
    return model if model.input_shape[1:] == (height, width) else model.derive(size=(height, width))


def translated(numbers: Tensor | None, source: tuple[str, ...], labels: tuple[str, ...]) -> Tensor | None:
    """Translate class numbers of ``source`` to those of ``labels``, by name (see `same_classes`); None where one has no counterpart."""
    if numbers is None or source == labels:
        return numbers
    places = same_classes(source, labels)
    found = [places[number] for number in numbers.tolist()]
    return None if None in found else torch.tensor(found, device=numbers.device)


def ask(model: Classifier, result: AttackResult, random: Tensor | None = None) -> Verdict:
    """Evaluate ``model`` on the images of ``result``, and on the control ``random``."""
    attacked = model is result.classifier
    shape, device = result.clean.shape[1:], result.clean.device
    taker = as_taken(model, shape)
    if taker is None:
        excuse = f"Not comparable: it takes {images_of(model.input_shape[0])}, the run has {images_of(shape[0])}."
        return Verdict(model.name, attacked, model.labels, excuse)
    known = (result.clean_logits, result.logits) if attacked else (taker.score(result.clean), taker.score(result.adversarial))
    return Verdict(
        name=model.name,
        attacked=attacked,
        labels=model.labels,
        classes=translated(result.labels, result.classifier.labels, model.labels),
        targets=translated(result.targets, result.classifier.labels, model.labels),
        clean=known[0].to(device),
        adversarial=known[1].to(device),
        noise=None if random is None else taker.score(random).to(device),
        source_fooled=result.success,
    )


def images_of(count: int) -> str:
    """Name images by their number of channels: ``grey images``, ``colour images``."""
    return {1: "grey images", 3: "colour images"}.get(count, f"images of {count} channels")


def _prediction(verdict: Verdict, logits: Tensor | None) -> tuple[str | None, float | None, float | None]:
    """Return the predicted label of the first row with its probability and logit."""
    if logits is None:
        return None, None, None
    logit, number = logits[0].max(0)
    return verdict.labels[int(number)], float(logits[0].softmax(0)[number]), float(logit)


def _prediction_text(verdict: Verdict, logits: Tensor | None) -> str:
    if logits is None:
        return NOTHING
    probability, number = logits[0].softmax(0).max(0)
    return f"{verdict.labels[int(number)]} · {format_probability(float(probability))}"


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"


def _sentence(verdict: Verdict) -> str:
    """Describe the predictions for a single image in words."""
    if verdict.adversarial is None:
        return verdict.excuse
    fooled, changed, reached = verdict.fooled, verdict.changed, verdict.reached
    if fooled is None:
        assert changed is not None
        return "other classes, changed" if bool(changed[0]) else "other classes, unchanged"
    if reached is not None and bool(reached[0]):
        return "reaches the target"
    if bool(fooled[0]):
        return "fooled"
    accuracy = verdict.accuracy(verdict.clean)
    return "not fooled" if accuracy else "wrong before the attack already"


def _note(verdict: Verdict) -> str:
    """Return a note on cases that the numbers of a batch leave out."""
    if verdict.excuse:
        return verdict.excuse
    if verdict.classes is None:
        return "It has other classes: the rate counts images whose own prediction changed."
    return "The attacked model." if verdict.attacked else ""
