"""The network and the images of a training: how they are named in a record, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import data as data_sets
from engine import models
from engine.bits import Bits
from engine.classifier import Classifier
from engine.data import DataSet
from engine.errors import GibbonError
from engine.models import ARCHITECTURES
from engine.record.packing import Part
from engine.record.restoring import Load
from engine.record.schema import ModelOptions

TORCHVISION = "torchvision:"


class TrainingSource(Part):
    """The names of a network and of the images that it is trained on, with everything that decides which they are."""

    network: str
    """An argument of ``engine.models.untrained``; if ``trained``, of ``engine.models.load``."""
    trained: bool = False
    """Whether the training begins with the weights that are loaded."""
    options: ModelOptions = ModelOptions()
    """Further arguments of ``engine.models.load``."""
    side: int | None = None
    """Side of the images in pixels, for torchvision's untrained networks; None: that of the data set."""
    data: str = ""
    """The name of the data set in ``engine.data``; empty: the one that the network was made for."""
    seed: int = 0
    """The seed of a drawn set, and of the images that are held out of a set without a test set."""
    count: int | None = None
    """Number of images, at most, of the training set, or of a set without a test set; None: all."""
    test_count: int | None = None
    """Number of images, at most, of the test set; None: all."""


@dataclass(frozen=True, eq=False)
class TrainingInputs:
    """A classifier to train, and the images to train and to test it on. They fit together."""

    source: TrainingSource
    """Their names, with the data set named."""
    classifier: Classifier
    train: DataSet
    test: DataSet


def loading_inputs(
    source: TrainingSource,
    *,
    root: Path | str | None = None,
    device: str | None = None,
    download: bool = False,
    allow_code: bool = False,
    load: Load | None = None,
) -> Bits[TrainingInputs]:
    """Load a network and its images, image by image.

    Parameters
    ----------
    source
        Their names.
    root
        Folder of the data sets; None: the default of ``engine.data.load``.
    device
        None: the accelerator where there is one, else the CPU.
    download
        Download a data set that is missing.
    allow_code
        Permission to run the code of FILE.py.
    load
        Replacement for ``engine.models.load``.

    Raises
    ------
    GibbonError
        Something is missing, or network and images do not fit together: another number of classes, other names.
    """
    given = _given(source, device, allow_code, load)
    name = source.data or _made_for(source, given)
    side = source.side
    if given is None and source.network.startswith(TORCHVISION) and side is None:
        side = _side_of(name, source.network)
    size = _size(source, given, side)
    train, test = yield from data_sets.loading_train_and_test(
        name, root, download, seed=source.seed, size=size, count=source.count, test_count=source.test_count
    )
    classifier = given if given is not None else _untrained(source, train, side, device)
    train, test = (part.among(classifier.labels).with_channels(classifier.native_shape[0]) for part in (train, test))
    for part in (train, test):
        part.targets_for(classifier.labels, classifier.name)  # refused before the training, not after it
    return TrainingInputs(source.model_copy(update={"data": name, "side": side}), classifier, train, test)


def _given(source: TrainingSource, device: str | None, allow_code: bool, load: Load | None) -> Classifier | None:
    """Return the classifier that brings its classes along; None: a network whose classes are those of the data set."""
    if source.trained:
        return (load or _load)(source.network, device or "", source.options)
    models.check_network(source.network)
    if models.runs_code(source.network):
        return models.untrained(source.network, device=device, allow_code=allow_code)
    return None


def _load(source: str, device: str, options: ModelOptions) -> Classifier:
    return models.load(source, device=device or None, architecture=options.architecture, activation=options.activation, head=options.head)


def _made_for(source: TrainingSource, given: Classifier | None) -> str:
    """Return the data set that a network was made for."""
    known = "" if given is None else data_sets.parse_name(str(given.card.get("data_set", "")))[0]
    if given is None and source.network in ARCHITECTURES:
        known = ARCHITECTURES[source.network].data_set
    if not known:
        raise GibbonError(f"“{source.network}” does not say which images it is for. Name a data set, such as mnist or folder:PATH.")
    return known


def _side_of(name: str, network: str) -> int:
    """Return the side of a set's images where all sets of that name have one, else that of the published weights."""
    shape = None if name.startswith("folder:") else data_sets.shape_of(name)
    return shape[1] if shape is not None else models.published_side(network)


def _size(source: TrainingSource, given: Classifier | None, side: int | None) -> tuple[int, int] | None:
    if given is not None:
        return given.native_shape[1], given.native_shape[2]
    if side is not None:
        return side, side
    architecture = ARCHITECTURES.get(source.network)
    return None if architecture is None else (architecture.input_shape[1], architecture.input_shape[2])


def _untrained(source: TrainingSource, train: DataSet, side: int | None, device: str | None) -> Classifier:
    architecture = ARCHITECTURES.get(source.network)
    if architecture is not None:
        return architecture.untrained(device=device, labels=architecture.labels_for(architecture.images_for(train)))
    return models.untrained(source.network, train.labels, size=side, device=device)


def relocated(source: TrainingSource, place: Callable[[Path], str]) -> TrainingSource:
    """Return the source with the paths of its files replaced by ``place(path)``: of weights, of code, and of a folder of images."""
    from engine.record.making import located

    kind, _, path = source.data.partition(":")
    data = f"folder:{place(Path(path))}" if kind == "folder" else source.data
    return source.model_copy(update={"network": located(source.network, place), "data": data})
