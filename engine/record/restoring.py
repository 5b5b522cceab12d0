"""Restoring what a record names for its replay: classifier, image, mask, data set, attack, and the run of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.attacks import CATALOGUE
from engine.classifier import Classifier
from engine.defenses.preprocessing import read
from engine.driver import Run, start
from engine.errors import GibbonError
from engine.images import Photograph, digest, open_image
from engine.operation import Attack
from engine.record.finding import find, read_mask
from engine.record.making import located
from engine.record.schema import DataEntry, ImageEntry, MaskEntry, ModelEntry, ModelOptions, OperationEntry, Record
from engine.timeline import Timeline

if TYPE_CHECKING:
    from engine.data import DataSet

Load = Callable[[str, str, ModelOptions], Classifier]
"""Loader of a classifier from source, device and options."""


def _load(source: str, device: str, options: ModelOptions) -> Classifier:
    from engine import models

    return models.load(source, device=device, architecture=options.architecture, activation=options.activation, head=options.head)


def classifier_of(entry: ModelEntry, folder: Path, device: str, load: Load | None, known: Sequence[Classifier] = ()) -> Classifier:
    """Return the one of the ``known`` classifiers that is the recorded one, else load it and derive it as recorded.

    Raises
    ------
    GibbonError
        It cannot be loaded, or its fingerprint is not the recorded one.
    """
    for classifier in known:
        there = classifier.fingerprint, classifier.input_shape, str(classifier.device)
        if there == (entry.fingerprint, entry.input_shape, device):
            return classifier
    if entry.changes:
        raise GibbonError(f"The record's model was changed by hand ({'; '.join(entry.changes)}), which a record cannot do again.")
    if entry.source is None:
        raise GibbonError(f"The record does not say where the model “{entry.name}” came from, so it cannot be loaded again.")
    source = located(entry.source, lambda path: str(folder / path if (folder / path).is_file() else path))
    classifier = derived((load or _load)(source, device, entry.options), entry)
    if classifier.fingerprint != entry.fingerprint:
        raise GibbonError(
            f"“{entry.source}” is another model than the recorded one: its fingerprint is {classifier.fingerprint}, "
            f"recorded is {entry.fingerprint}. Put the original weights there."
        )
    return classifier


def derived(loaded: Classifier, entry: ModelEntry) -> Classifier:
    """Return the loaded classifier with the recorded size, bounds and preprocessing.

    Raises
    ------
    GibbonError
        A bound or a preprocessing is unknown here.
    """
    if loaded.input_shape != entry.input_shape:
        loaded = loaded.derive(size=entry.input_shape[1:])
    if entry.bounds:
        loaded = loaded.derive(bounds=entry.bounds)
    if entry.preprocessing:
        loaded = loaded.derive(name=entry.name, before=read(list(entry.preprocessing)))
    return loaded


def image_of(entry: ImageEntry, classifier: Classifier, folder: Path, given: Path | None) -> tuple[Tensor, Photograph | None]:
    """Read the clean image ``(C, H, W)``, before stickers, and the photograph that it was cropped from, where the record names a file.

    Raises
    ------
    GibbonError
        Its file is missing, or its bits are not the recorded ones.
    """
    if entry.pixels is not None and given is None:
        return entry.pixels.tensor(), None
    path = find(entry.path, entry.sha256, folder, given, "image")
    photograph = open_image(path)
    image = photograph.crop_to(classifier, entry.crop)
    if entry.bits is not None and digest(image) != entry.bits:
        raise GibbonError(
            f"“{path.name}” is the recorded file, but reading it gives other pixels: another version of Pillow scales differently."
        )
    return image, photograph


def load_mask(entry: MaskEntry, classifier: Classifier, folder: Path) -> Tensor:
    """Return a recorded mask, read again where it is a file."""
    if entry.pixels is not None:
        return entry.pixels.tensor()
    return read_mask(find(entry.path, entry.sha256, folder, None, "mask"), classifier)


def load_data(entry: DataEntry, root: Path | str | None) -> DataSet:
    """Load the recorded images of a data set again, and check their hash."""
    from engine import data as data_sets

    name, split = data_sets.parse_name(entry.name)
    found = data_sets.load(name, split, root, count=entry.count, seed=entry.seed)
    if found.sha256 != entry.sha256:
        raise GibbonError(
            f"{entry.count} images of “{entry.name}” are not those that were recorded: the files have changed, or it was a selection that "
            "a record cannot make again."
        )
    return found


def build_attack(entry: OperationEntry, folder: Path) -> Attack:
    """Build the attack with its parameters, with the files that they name found again."""
    kind: type[Attack] = CATALOGUE[entry.slug]
    named = kind.build(**entry.parameters).named_files()
    found = {name: find(path.as_posix(), entry.files.get(name), folder, None, name) for name, path in named.items()}
    return kind.build(**{**entry.parameters, **{name: str(path) for name, path in found.items()}})


def run_of(
    record: Record, classifier: Classifier, clean: Tensor, folder: Path, data_root: Path | str | None, timeline: Timeline | None = None
) -> Run:
    """Start the recorded attack on the image with its fixed stickers. A ``timeline`` keeps its steps.

    Raises
    ------
    GibbonError
        The attack, a class, a file or the data set that the record names is not here.
    """
    if record.operation.slug not in CATALOGUE:
        raise GibbonError(f"There is no attack “{record.operation.slug}” here. It has: {', '.join(CATALOGUE)}.")
    attack = build_attack(record.operation, folder)
    for what, entry in (("label", record.label), ("target", record.target)):
        if entry is not None and not 0 <= entry.index < classifier.num_classes:
            raise GibbonError(
                f"The record's {what} is class {entry.index}, but the model has {classifier.num_classes}. Use the original record."
            )
    return start(
        attack,
        classifier,
        _with_stickers(record, clean)[None],
        labels=torch.tensor([record.label.index]),
        labels_assumed=record.label.assumed,
        targets=None if record.target is None else torch.tensor([record.target.index]),
        mask=None if record.mask is None else load_mask(record.mask, classifier, folder),
        start=None if record.start is None else record.start.tensor()[None],
        data=None if record.data is None else load_data(record.data, data_root),
        seed=record.seed,
        first_row=record.row,
        record=Timeline(max_bytes=0) if timeline is None and record.iteration is not None else timeline,
    )


def _with_stickers(record: Record, clean: Tensor) -> Tensor:
    """Return the clean image with its fixed stickers; optimised ones are left to the attack."""
    if not record.stickers:
        return clean
    from engine.stickers import compose

    return compose(clean, [entry.sticker() for entry in record.stickers]).base
