"""Swapping the classifier: made in the engine thread, together with an image that fits it where the one shown does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.open_image import Crop, Opened, cropped

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph, Sample
    from gui.session.session import Session

_FIRST = {"signs": "Stop", "digits": "7", "objects": "cat", "imagenet": "cat"}


@dataclass(frozen=True, eq=False)
class Arrived:
    """A classifier and, where the image shown does not fit it, another one."""

    classifier: Classifier
    opened: Opened | None = None
    label: int | None = None


def kind_of(classifier: Classifier) -> str:
    """Which samples suit it: signs, digits, objects or imagenet."""
    architecture = str(classifier.card.get("architecture", ""))
    if architecture in ("signs", "digits", "objects"):
        return architecture
    if classifier.input_shape[0] == 1:
        return "digits"
    return "signs" if classifier.num_classes == 43 else "imagenet"


def samples_for(classifier: Classifier) -> list[Sample]:
    """The bundled samples that suit it."""
    from engine.images import samples

    return [sample for sample in samples() if sample.model == kind_of(classifier)]


def label_of(sample: Sample, classifier: Classifier) -> int | None:
    """The true class of a sample under this classifier's labels."""
    if sample.label_name is not None and sample.label_name in classifier.labels:
        return classifier.labels.index(sample.label_name)
    return sample.label if sample.label is not None and sample.label < classifier.num_classes else None


def with_image(
    classifier: Classifier, photograph: Photograph | None, before: Classifier | None, label: int | None, crop: Crop | None = None
) -> Arrived:
    """Choose the image: the photograph shown, where it suits, else a sample. Called in the engine thread.

    The photograph keeps its ``crop`` where the new classifier takes images of the same shape of rectangle.
    """
    from engine.images import samples

    if before is None or not _same_aspect(before.input_shape, classifier.input_shape):
        crop = None
    same_labels = before is not None and before.labels == classifier.labels
    if photograph is not None:
        shown = [sample for sample in samples() if sample.path == photograph.path]  # one photograph may suit several models
        sample = next((sample for sample in shown if sample.model == kind_of(classifier)), shown[0] if shown else None)
        if same_labels or sample is None or sample.model == kind_of(classifier):
            kept = label if same_labels else label_of(sample, classifier) if sample is not None else None
            return Arrived(classifier, cropped(photograph, classifier, crop), kept)
    mine = samples_for(classifier)
    if not mine:
        return Arrived(classifier)
    first = next((sample for sample in mine if sample.title.startswith(_FIRST[kind_of(classifier)])), mine[0])
    return Arrived(classifier, cropped(first.open(), classifier, first.crop), label_of(first, classifier))


def _same_aspect(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return one[1] * other[2] == one[2] * other[1]


def crop_of(session: Session) -> Crop | None:
    """The rectangle of the photograph that is on the canvas; None where the image is no crop of it."""
    photograph, crop = session.photograph, session.image.get("crop")
    if photograph is None or crop is None or photograph.sha256 != session.image.get("sha256"):
        return None
    left, top, width, height = crop
    return left, top, width, height


def swap_classifier(
    session: Session, make: Callable[[], Classifier], *, busy: str, done: Callable[[Classifier], None], failed: Callable[[str], None]
) -> None:
    """Make a classifier in the engine thread and put it in the place of the one shown. Where that fails, all stays as it was."""
    photograph, before, clean, label = state = _state(session)
    crop = crop_of(session)

    def arrive() -> Arrived:
        classifier = make()
        alike = before is not None and (before.input_shape, before.labels) == (classifier.input_shape, classifier.labels)
        return Arrived(classifier) if alike and clean is not None else with_image(classifier, photograph, before, label, crop)

    def then(arrived: Arrived) -> None:
        if any(now is not was for now, was in zip(_state(session), state, strict=True)):  # something else was opened meanwhile
            classifier = arrived.classifier
            swap_classifier(session, lambda: classifier, busy=busy, done=done, failed=failed)
        else:
            show(session, arrived)
            done(arrived.classifier)

    session.ask("model", arrive, then, what="Loading the model", failed=failed, busy=busy)


def _state(session: Session) -> tuple[Photograph | None, Classifier | None, Tensor | None, int | None]:
    return session.photograph, session.classifier, session.clean, session.label


def show(session: Session, arrived: Arrived) -> None:
    """Put what arrived on the canvas."""
    opened = arrived.opened
    if opened is None:
        session.set_classifier(arrived.classifier)
    else:
        session.set_classifier(arrived.classifier, opened.clean, opened.info, arrived.label, opened.photograph)
