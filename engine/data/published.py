"""Published data sets on the disk, in the layout of torchvision: MNIST, GTSRB and CIFAR-10."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from engine.bits import Bits
from engine.class_matching import class_numbers
from engine.data import files
from engine.data.dataset import DataSet
from engine.data.fetching import FILES, missing
from engine.data.labels import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS
from engine.data.selection import Selection, Split, chosen_places, numbers_of
from engine.errors import GibbonError

CITATIONS = {
    "mnist": "MNIST (LeCun, Cortes, Burges)",
    "gtsrb": "GTSRB, the German Traffic Sign Recognition Benchmark (Stallkamp et al. 2012)",
    "cifar10": "CIFAR-10 (Krizhevsky 2009)",
}
LICENCES = {
    "mnist": "CC BY-SA 3.0",
    "gtsrb": "see the data set's site, https://benchmark.ini.rub.de",
    "cifar10": "see the data set's site, https://www.cs.toronto.edu/~kriz/cifar.html",
}
SHAPES = {"mnist": (1, 28, 28), "gtsrb": (3, 32, 32), "cifar10": (3, 32, 32)}
"""Shapes ``(C, H, W)`` of their images here; the signs of GTSRB are scaled."""
LABELS = {"mnist": DIGIT_LABELS, "gtsrb": SIGN_LABELS, "cifar10": CIFAR10_LABELS}
"""Their class names."""


def is_present(root: Path, name: str, split: Split) -> bool:
    """Return whether all files of a split of a published set are under ``root``."""
    return (name == "cifar10" and (root / "cifar10" / split).is_dir()) or not missing(root, name, split)


def absence(root: Path, name: str, split: Split) -> str:
    """Return the sentence about a split that is not under ``root``: which files are missing, and where they belong."""
    files = missing(root, name, split)
    names = ", ".join(str(Path(each.folder) / (each.holds or each.name)) for each in files)
    some = "was not found" if len(files) == len(FILES[name, split]) else "is not whole"
    sources = " and ".join(each.url for each in files)
    place = "" if root.is_dir() else f", {'which is a file' if root.exists() else 'a folder that does not exist'}"
    return (
        f"{CITATIONS[name]} ({split}) {some} under {root}{place} (missing: {names}). Give the folder that holds "
        f"the set with --data or GIBBON_DATA, or let it be fetched (--download, in Python the argument download); "
        f"without a network put {sources} into {root / files[0].folder}."
    )


def read_published(root: Path, name: str, split: Split, selection: Selection) -> Bits[DataSet]:
    """Read a split of a published set, image by image.

    Raises
    ------
    GibbonError
        Its files are damaged or incomplete, or the selection fits no image.
    """
    return _readers[name](root, split, selection)


def _mnist_stem(split: Split) -> str:
    return "train" if split == "train" else "t10k"


def _mnist(root: Path, split: Split, selection: Selection) -> Bits[DataSet]:
    raw, stem = root / "MNIST/raw", _mnist_stem(split)
    try:
        images = files.read_idx(raw / f"{stem}-images-idx3-ubyte")
        targets = files.read_idx(raw / f"{stem}-labels-idx1-ubyte").long()
    except OSError as error:
        raise GibbonError(f"MNIST under {raw} could not be read ({error}): fetch it again.") from error
    if images.ndim != 3 or targets.ndim != 1 or len(images) != len(targets):
        raise GibbonError(f"MNIST under {raw} has images {tuple(images.shape)} and labels {tuple(targets.shape)}: fetch it again.")
    if tuple(images.shape[1:]) != SHAPES["mnist"][1:] or not len(images):
        raise GibbonError(f"MNIST under {raw} has {len(images)} images of {images.shape[1]} × {images.shape[2]} pixels: fetch it again.")
    if int(targets.max()) >= len(DIGIT_LABELS):
        raise GibbonError(f"MNIST under {raw} has a label {int(targets.max())}, but digits end at 9: fetch it again.")
    yield len(images), len(images)
    chosen, fitting = chosen_places(selection, targets, DIGIT_LABELS)
    found = images[chosen, None], targets[chosen]
    return DataSet(f"mnist:{split}", DIGIT_LABELS, *found, *_origin("mnist", split), places=numbers_of(chosen), fitting=fitting)


def _gtsrb(root: Path, split: Split, selection: Selection) -> Bits[DataSet]:
    folder = root / "gtsrb"
    if split == "test":
        return (yield from _from_files("gtsrb", split, files.gtsrb_test(folder), SIGN_LABELS, selection))
    found = _known(*files.class_folders(folder / "GTSRB/Training"), SIGN_LABELS)
    return (yield from _from_files("gtsrb", split, found, SIGN_LABELS, selection))


def _cifar10(root: Path, split: Split, selection: Selection) -> Bits[DataSet]:
    if (root / "cifar10" / split).is_dir():
        found = _known(*files.class_folders(root / "cifar10" / split), CIFAR10_LABELS)
        return (yield from _from_files("cifar10", split, found, CIFAR10_LABELS, selection))
    from torchvision import datasets

    try:
        whole = datasets.CIFAR10(root, train=split == "train", download=False)  # torchvision checks each file's hash before it reads it
    except (OSError, RuntimeError) as error:
        raise GibbonError(f"CIFAR-10 under {root} is incomplete or damaged ({error}): fetch it again.") from error
    targets = torch.tensor(whole.targets)
    chosen, fitting = chosen_places(selection, targets, CIFAR10_LABELS)
    taken = torch.from_numpy(whole.data).permute(0, 3, 1, 2)[chosen].contiguous(), targets[chosen]
    return DataSet(f"cifar10:{split}", CIFAR10_LABELS, *taken, *_origin("cifar10", split), places=numbers_of(chosen), fitting=fitting)


_readers: dict[str, Callable[[Path, Split, Selection], Bits[DataSet]]] = {"mnist": _mnist, "gtsrb": _gtsrb, "cifar10": _cifar10}


def _known(samples: files.Samples, names: tuple[str, ...], labels: tuple[str, ...]) -> files.Samples:
    """Return the samples with the published numbers of their classes, matched by the folders' names."""
    # Each folder is matched alone, since a stray one proves nothing about the others.
    places = {name: class_numbers([name], labels)[0] for name in names}
    known = [number for number in places.values() if number is not None]
    if len(known) < len(names):
        strange = next(name for name, number in places.items() if number is None)
        raise GibbonError(f"A folder “{strange}” is among the classes, which are {labels[0]} to {labels[-1]}: move it elsewhere.")
    return [(path, known[place]) for path, place in samples]


def _from_files(name: str, split: Split, samples: files.Samples, labels: tuple[str, ...], selection: Selection) -> Bits[DataSet]:
    if not samples:
        raise GibbonError(f"{CITATIONS[name]} ({split}) holds no images: fetch it again.")
    places, fitting = chosen_places(selection, [target for _, target in samples], labels)
    chosen = [samples[index] for index in places.tolist()]
    targets = torch.tensor([target for _, target in chosen])
    if not 0 <= int(targets.min()) <= int(targets.max()) < len(labels):
        strange = next(target for _, target in chosen if not 0 <= target < len(labels))
        raise GibbonError(f"{CITATIONS[name]} ({split}) has a class {strange}, but 0 to {len(labels) - 1} are known: fetch it again.")
    read = yield from files.read_images([path for path, _ in chosen], (32, 32))
    if read.broken:  # a published set with missing images is another set
        raise GibbonError(f"{CITATIONS[name]} ({split}) is damaged: {read.broken[0]} Or fetch the set again.")
    found = read.images, targets
    return DataSet(f"{name}:{split}", labels, *found, *_origin(name, split), places=numbers_of(places), fitting=fitting)


def _origin(name: str, split: Split) -> tuple[str, str]:
    return f"{CITATIONS[name]}, {split}", LICENCES[name]
