"""Swapping the classifier, together with a fitting image if the one shown does not fit. Both are made in the engine thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.open_image import Crop, Opened, cropped

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph, Sample
    from gui.session.host import Host
    from gui.session.state import State

_FIRST = {"signs": "Stop", "digits": "7", "objects": "cat", "imagenet": "cat"}


@dataclass(frozen=True, eq=False)
class ClassifierWithImage:
    """A classifier and, if the image shown does not fit it, another image with its label."""

    classifier: Classifier
    opened: Opened | None = None
    label: int | None = None


def sample_kind(classifier: Classifier) -> str:
    """Return the kind of sample images that suit a classifier: signs, digits, objects or imagenet."""
    architecture = str(classifier.card.get("architecture", ""))
    if architecture in ("signs", "digits", "objects"):
        return architecture
    if classifier.input_shape[0] == 1:
        return "digits"
    return "signs" if classifier.num_classes == 43 else "imagenet"


def samples_for(classifier: Classifier) -> list[Sample]:
    """Return the bundled samples that suit a classifier."""
    from engine.images import samples

    return [sample for sample in samples() if sample.model == sample_kind(classifier)]


def label_of(sample: Sample, classifier: Classifier) -> int | None:
    """Return the true class of a sample under a classifier's labels; None if it has no such class."""
    if sample.label_name is not None and sample.label_name in classifier.labels:
        return classifier.labels.index(sample.label_name)
    return sample.label if sample.label is not None and sample.label < classifier.num_classes else None


def with_image(
    classifier: Classifier, photograph: Photograph | None, before: Classifier | None, label: int | None, crop: Crop | None = None
) -> ClassifierWithImage:
    """Choose an image for a classifier: the photograph shown if it suits, else a sample. Called in the engine thread.

    The photograph keeps its ``crop`` if the new classifier's images have the same aspect.
    """
    from engine.images import samples

    if before is None or not _same_aspect(before.input_shape, classifier.input_shape):
        crop = None
    same_labels = before is not None and before.labels == classifier.labels
    if photograph is not None:
        shown = [sample for sample in samples() if sample.path == photograph.path]  # one photograph may suit several models
        sample = next((sample for sample in shown if sample.model == sample_kind(classifier)), shown[0] if shown else None)
        if same_labels or sample is None or sample.model == sample_kind(classifier):
            kept = label if same_labels else label_of(sample, classifier) if sample is not None else None
            return ClassifierWithImage(classifier, cropped(photograph, classifier, crop), kept)
    mine = samples_for(classifier)
    if not mine:
        return ClassifierWithImage(classifier)
    first = next((sample for sample in mine if sample.title.startswith(_FIRST[sample_kind(classifier)])), mine[0])
    return ClassifierWithImage(classifier, cropped(first.open(), classifier, first.crop), label_of(first, classifier))


def _same_aspect(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return one[1] * other[2] == one[2] * other[1]


def crop_of(session: Host) -> Crop | None:
    """Return the rectangle of the photograph that is on the canvas; None if the image is not a crop of it."""
    photograph, crop = session.photograph, session.image.get("crop")
    if photograph is None or crop is None or photograph.sha256 != session.image.get("sha256"):
        return None
    left, top, width, height = crop
    return left, top, width, height


def swap_classifier(
    session: Host, make: Callable[[], Classifier], *, busy: str, done: Callable[[Classifier], None], failed: Callable[[str], None]
) -> None:
    """Make a classifier in the engine thread and let it replace the present one. If that fails, the state stays as it is."""
    photograph, before, clean, label = state = _state(session)
    crop = crop_of(session)

    def arrive() -> ClassifierWithImage:
        classifier = make()
        alike = before is not None and (before.input_shape, before.labels) == (classifier.input_shape, classifier.labels)
        return ClassifierWithImage(classifier) if alike and clean is not None else with_image(classifier, photograph, before, label, crop)

    def then(arrived: ClassifierWithImage) -> None:
        if any(now is not was for now, was in zip(_state(session), state, strict=True)):  # something else was opened meanwhile
            classifier = arrived.classifier
            swap_classifier(session, lambda: classifier, busy=busy, done=done, failed=failed)
        else:
            show_classifier(session, arrived)
            done(arrived.classifier)

    session.ask("model", arrive, then, what="Loading the model", failed=failed, busy=busy)


def _state(session: Host) -> tuple[Photograph | None, Classifier | None, Tensor | None, int | None]:
    return session.photograph, session.classifier, session.clean, session.label


def show_classifier(session: Host, arrived: ClassifierWithImage) -> None:
    """Make the classifier the present one, put its image on the canvas, and say so where that is another one than before."""
    opened, before = arrived.opened, session.state
    if opened is None:
        session.set_classifier(arrived.classifier)
    else:
        session.set_classifier(arrived.classifier, opened.clean, opened.info, arrived.label, opened.photograph)
    if sentence := replaced_words(before, session.state):
        session.log("info", sentence)
        session.notice.emit(sentence)


def replaced_words(before: State, after: State) -> str:
    """Return a sentence about the image that another classifier has replaced or resized, and its stickers; empty if it is the same."""
    was, now, model = before.clean, after.clean, after.classifier
    if (
        was is None
        or model is None
        or before.classifier is None
        or (now is not None and now.shape == was.shape and _name(before) == _name(after))
    ):
        return ""
    from engine.text.formatting import counted

    stickers = "" if not after.stickers else f", with its {counted(len(after.stickers), 'sticker')} in proportion"
    back = "Undo (Ctrl+Z) brings model and image back."
    if now is None:
        takes = _size_of(model.input_shape)
        return f"“{_name(before)}”, {_size(was)}, was closed, since “{model.name}” takes {takes}: open another image. {back}"
    if _name(before) != _name(after):
        return f"“{_name(before)}” does not suit “{model.name}”, so “{_name(after)}” took its place{stickers}. {back}"
    return f"“{_name(after)}” is shown in {_size(now)} in place of {_size(was)}, as “{model.name}” takes it{stickers}. {back}"


def _name(state: State) -> str:
    return str(state.image.get("name", "image"))


def _size(image: Tensor) -> str:
    return _size_of(tuple(image.shape))


def _size_of(shape: tuple[int, ...]) -> str:
    """Return the size of an image ``(C, H, W)`` in words."""
    channels, height, width = shape
    return f"{width} × {height} pixels{' of grey' if channels == 1 else ''}"
