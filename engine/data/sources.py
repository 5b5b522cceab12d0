"""Data sets by name: those found on the disk, and those that this project draws itself."""

from __future__ import annotations

import numbers
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from engine.class_matching import class_numbers
from engine.data import files
from engine.data.bits import Bits, whole
from engine.data.dataset import DataSet
from engine.data.labels import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS
from engine.data.selection import Selection, checked_classes
from engine.errors import GibbonError
from engine.text.parsing import named

Split = Literal["train", "test"]
_SPLITS: tuple[Split, ...] = ("test", "train")
_MOST_DRAWN = 100_000
"""Largest number of images in a drawn set: drawing takes about a millisecond each."""
_MOST_BYTES = 16 << 30
"""Largest size of one set's images in memory."""

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
DRAWN = {"signs": 430, "digits": 200}
"""Sets that this project draws itself, with the default number of images: ten signs of each class, twenty digits."""
_SHAPES = {
    "mnist": (1, 28, 28),
    "gtsrb": (3, 32, 32),
    "cifar10": (3, 32, 32),
    "generated:signs": (3, 32, 32),
    "generated:digits": (1, 28, 28),
}
"""Shapes of the images that `load` returns where no size is given."""


@dataclass(frozen=True)
class Entry:
    """One line of the data-set chooser."""

    name: str
    title: str
    splits: tuple[Split, ...]
    """The splits that are present; empty for a set without splits, such as a drawn one."""


def default_root() -> Path:
    """Return the folder of the data sets: GIBBON_DATA, or this platform's cache folder."""
    if chosen := os.environ.get("GIBBON_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "gibbon/data"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/gibbon/data"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gibbon/data"


def available(root: str | Path | None = None) -> list[Entry]:
    """List the sets that `load` can return without a download: those found under ``root``, then the drawn ones."""
    folder = _root(root)
    found = [
        Entry(name, CITATIONS[name], splits)
        for name in CITATIONS
        if (splits := tuple(split for split in _SPLITS if _present(folder, name, split)))
    ]
    drawn = [Entry(f"generated:{name}", f"{name}, drawn by this project", ()) for name in DRAWN]
    return found + drawn


def parse_name(text: str) -> tuple[str, Split | None]:
    """Parse a set's name and its split from a text such as “gtsrb:train”; None: the text names no split."""
    name, _, split = text.rpartition(":")
    return (name, "train" if split == "train" else "test") if split in _SPLITS else (text, None)


def shape_of(name: str) -> tuple[int, int, int] | None:
    """Return the shape ``(C, H, W)`` of a set's images without loading them; None: it is not known, or there are none.

    Raises
    ------
    GibbonError
        No image of a folder can be read, or ``name`` is no text.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind != "folder":
        return _SHAPES.get(name)
    if not _folder_of(rest).is_dir():
        return None
    place = _place(_folder_of(rest), None)
    samples, _ = _listing(place)
    return (3, *_first_size(samples, place)) if samples else None


def splits_of(name: str) -> tuple[Split, ...]:
    """Return the splits that a set defines: train and test for published sets and for folders that hold both; else none.

    A set without splits is one set of images; it is neither for training nor for testing.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind == "folder":
        return _SPLITS if all((_folder_of(rest) / split).is_dir() for split in _SPLITS) else ()
    return _SPLITS if name in CITATIONS else ()


def labels_of(name: str, split: Split | None = None) -> tuple[str, ...]:
    """Return the class names of a set without loading it.

    Raises
    ------
    GibbonError
        The set is unknown, or its folder cannot be read.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind == "folder":
        folder = _folder_of(rest)
        if not folder.is_dir():
            raise GibbonError(f"{folder} is not a folder: give the folder that holds the images.")
        return _listing(_place(folder, split))[1]
    known = {"mnist": DIGIT_LABELS, "gtsrb": SIGN_LABELS, "cifar10": CIFAR10_LABELS}
    known |= {"generated:signs": SIGN_LABELS, "generated:digits": DIGIT_LABELS}
    if name not in known:
        raise GibbonError(f'There is no data set "{name}": use one of {", ".join(known)}, folder:PATH.')
    return known[name]


def load(
    name: str,
    split: Split | None = None,
    root: str | Path | None = None,
    download: bool = False,
    *,
    count: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    classes: Sequence[int] = (),
    draw: int | None = None,
) -> DataSet:
    """Load a data set by its name.

    Parameters
    ----------
    name
        "mnist", "gtsrb", "cifar10"; "folder:PATH" (images right inside, or one folder per class); "generated:signs",
        "generated:digits" (drawn by this project from ``seed``, no file needed).
    split
        The data set's own split; None: the test set where it has one. A folder has both where it holds folders ``train`` and ``test``.
        Drawn sets and other folders have no splits: `train_and_test` divides them.
    root
        Folder of the sets, in torchvision's layout. Default: the environment variable GIBBON_DATA, else this platform's cache folder.
    download
        Download missing files through torchvision.
    count
        Number of images to draw, or to take from files, spread evenly over the set.
    seed
        Seed of drawn sets.
    size
        Size of images from folders and of drawn signs: default 32x32 for drawn signs, the first image's own size for a folder.
    classes
        Numbers of the set's classes whose images are taken; empty: all. ``labels`` and class numbers stay those of the whole set.
    draw
        Seed by which ``count`` images are drawn from files instead of spread evenly. A drawn set has a seed of its own.

    Raises
    ------
    GibbonError
        The set is unknown or missing, has no such split, is too large, or holds no readable image.
    """
    return whole(loading(name, split, root, download, count=count, seed=seed, size=size, classes=classes, draw=draw))


def loading(
    name: str,
    split: Split | None = None,
    root: str | Path | None = None,
    download: bool = False,
    *,
    count: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    classes: Sequence[int] = (),
    draw: int | None = None,
) -> Bits[DataSet]:
    """Load like `load`, image by image, for callers that show progress or may stop."""
    check_name(name)
    _check(split, count, seed, size, draw)
    if isinstance(classes, str):
        raise GibbonError(f"{named(classes)} names no classes. Give a list of class numbers, such as [3, 5].")
    kind, _, rest = name.partition(":")
    there = rest in DRAWN if kind == "generated" else kind == "folder" and _folder_of(rest).is_dir()
    if there and split is not None and split not in splits_of(name):
        raise GibbonError(
            f"{name} is one set without a “{split}” part. Leave the split out, or let engine.data.train_and_test hold a part of it out."
        )
    if kind == "generated":
        return (yield from _generated(rest, count, seed, size, classes))
    chosen = Selection(count, tuple(classes), draw)
    if kind == "folder":
        return (yield from _folder(_folder_of(rest), split, chosen, size))
    split = split or "test"
    if name not in CITATIONS:
        known = ", ".join([*CITATIONS, *(f"generated:{drawn}" for drawn in DRAWN), "folder:PATH"])
        raise GibbonError(f'There is no data set "{name}": use one of {known}.')
    folder = _root(root)
    if not _present(folder, name, split):
        if not download:
            raise GibbonError(
                f"{CITATIONS[name]} ({split}) was not found under {folder}: give the folder that holds it with --data or "
                f"GIBBON_DATA, or download it into that folder with engine.data.load({name!r}, download=True), "
                "on the command line with --download."
            )
        _download(folder, name, split)
    return (yield from _readers[name](folder, split, chosen))


def check_name(name: object) -> None:
    """Refuse a value that is no name of a data set."""
    if not isinstance(name, str):
        raise GibbonError(f"{name!r} is no name of a data set. Give a text, such as mnist or folder:PATH.")


def _check(split: object, count: object, seed: object, size: object, draw: object) -> None:
    """Refuse values that are no split, number of images, seed or size."""
    if split is not None and split not in _SPLITS:
        raise GibbonError(f'There is no split "{split}": use "train" or "test".')
    if count is not None and not (_is_whole(count) and count >= 1):  # type: ignore[operator]
        raise GibbonError(f"count is {named(count)}, but a whole number of images is needed, at least one.")
    for number in (seed, 0 if draw is None else draw):
        if not _is_whole(number):
            raise GibbonError(f"{named(number)} is no seed: give a whole number.")
    if size is not None and not (
        isinstance(size, tuple | list) and len(size) == 2 and all(_is_whole(n) and 1 <= n <= 10_000 for n in size)
    ):
        raise GibbonError(f"{size!r} is no size of an image: give (height, width) in pixels.")


def _is_whole(value: object) -> bool:
    """Return whether the value is a whole number; NumPy's integers are, too."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _root(root: object) -> Path:
    """Return the folder of the data sets that the caller named, or the default one."""
    if root is None:
        return default_root()
    if not isinstance(root, str | os.PathLike):
        raise GibbonError(f"{root!r} is no folder of data sets. Give a path.")
    return Path(root).expanduser()


def _folder_of(path: str) -> Path:
    """Return the folder that “folder:PATH” names."""
    if not path.strip() or "\0" in path:
        raise GibbonError("folder: names no folder. Write folder:PATH, such as folder:photos.")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # ~somebody of an unknown user
        raise GibbonError(f"{path} is not a folder ({error}): give the folder that holds the images.") from error


def _check_memory(count: int, size: tuple[int, int], what: str) -> None:
    wanted = count * size[0] * size[1] * 3
    if wanted > _MOST_BYTES:
        raise GibbonError(
            f"{count:,} images of {what} take {wanted / 2**30:.0f} GiB of memory, and {_MOST_BYTES >> 30} are allowed: "
            "take fewer, or smaller ones."
        )


def _present(root: Path, name: str, split: Split) -> bool:
    if name == "mnist":
        stem = root / "MNIST/raw" / f"{_mnist_stem(split)}-images-idx3-ubyte"
        return stem.is_file() or stem.with_name(f"{stem.name}.gz").is_file()
    if name == "gtsrb":
        part = "GTSRB/Training" if split == "train" else "GT-final_test.csv"
        return (root / "gtsrb" / part).exists()
    return (root / "cifar10" / split).is_dir() or (root / "cifar-10-batches-py").is_dir()


def _download(root: Path, name: str, split: Split) -> None:
    from torchvision import datasets

    try:
        root.mkdir(parents=True, exist_ok=True)
        if name == "gtsrb":
            datasets.GTSRB(root, split=split, download=True)
        else:
            {"mnist": datasets.MNIST, "cifar10": datasets.CIFAR10}[name](root, train=split == "train", download=True)
    except (OSError, RuntimeError) as error:
        raise GibbonError(
            f"{CITATIONS[name]} could not be downloaded into {root} ({error}): check the network, or unpack it there by hand."
        ) from error


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
    if tuple(images.shape[1:]) != _SHAPES["mnist"][1:] or not len(images):
        raise GibbonError(f"MNIST under {raw} has {len(images)} images of {images.shape[1]} × {images.shape[2]} pixels: fetch it again.")
    if int(targets.max()) >= len(DIGIT_LABELS):
        raise GibbonError(f"MNIST under {raw} has a label {int(targets.max())}, but digits end at 9: fetch it again.")
    yield len(images), len(images)
    chosen, fitting = _chosen(selection, targets, DIGIT_LABELS)
    found = images[chosen, None], targets[chosen]
    return DataSet(f"mnist:{split}", DIGIT_LABELS, *found, *_origin("mnist", split), places=_numbers(chosen), fitting=fitting)


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
    chosen, fitting = _chosen(selection, targets, CIFAR10_LABELS)
    taken = torch.from_numpy(whole.data).permute(0, 3, 1, 2)[chosen].contiguous(), targets[chosen]
    return DataSet(f"cifar10:{split}", CIFAR10_LABELS, *taken, *_origin("cifar10", split), places=_numbers(chosen), fitting=fitting)


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
    places, fitting = _chosen(selection, [target for _, target in samples], labels)
    chosen = [samples[index] for index in places.tolist()]
    targets = torch.tensor([target for _, target in chosen])
    if not 0 <= int(targets.min()) <= int(targets.max()) < len(labels):
        strange = next(target for _, target in chosen if not 0 <= target < len(labels))
        raise GibbonError(f"{CITATIONS[name]} ({split}) has a class {strange}, but 0 to {len(labels) - 1} are known: fetch it again.")
    read = yield from files.read_images([path for path, _ in chosen], (32, 32))
    if read.broken:  # a published set with missing images is another set
        raise GibbonError(f"{CITATIONS[name]} ({split}) is damaged: {read.broken[0]} Or fetch the set again.")
    found = read.images, targets
    return DataSet(f"{name}:{split}", labels, *found, *_origin(name, split), places=_numbers(places), fitting=fitting)


def _folder(folder: Path, split: Split | None, selection: Selection, size: tuple[int, int] | None) -> Bits[DataSet]:
    """Load a folder with one folder per class, or with all images of one unnamed class directly inside."""
    if not folder.is_dir():
        raise GibbonError(f"{folder} is not a folder: give the folder that holds the images.")
    place = _place(folder, split)
    samples, labels = _listing(place)
    if not samples:
        raise GibbonError(f"{place} holds no images, neither right inside nor one folder down: choose another.")
    places, fitting = _chosen(selection, [target for _, target in samples], labels)
    chosen = [samples[index] for index in places.tolist()]
    size = size or _first_size(samples, place)
    _check_memory(len(chosen), size, str(place))
    read = yield from files.read_images([path for path, _ in chosen], size)
    if not read.rows:
        raise GibbonError(f"None of the {len(chosen)} images in {place} can be read. The first: {read.broken[0]}")
    targets = torch.tensor([chosen[row][1] for row in read.rows])
    left_out = _left_out(read.broken)
    name = f"folder:{folder}" if place == folder else f"folder:{folder}:{place.name}"
    source, kept = f"images in {place.name}", _numbers(places[read.rows])
    return DataSet(name, labels, read.images, targets, source, notes=left_out, places=kept, fitting=fitting)


def _place(folder: Path, split: Split | None) -> Path:
    """Return the folder of a split's images; without a split that of the test set, or the folder itself where it has none."""
    return folder / (split or "test") if splits_of(f"folder:{folder}") else folder


def _listing(place: Path) -> tuple[files.Samples, tuple[str, ...]]:
    """List a folder's images with their classes and the class names; images directly inside are one class with the folder's name."""
    samples, labels = files.class_folders(place)
    return (samples, labels) if samples else ([(path, 0) for path in files.images_in(place)], (place.absolute().name,))


def _first_size(samples: files.Samples, place: Path) -> tuple[int, int]:
    """Return height and width of the first readable image."""
    error: GibbonError | None = None
    for path, _ in samples:
        try:
            return files.image_size(path)
        except GibbonError as found:
            error = error or found
    raise GibbonError(f"None of the {len(samples)} images in {place} can be read. The first: {error}")


def _left_out(broken: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence about files that could not be read: how many, and the first of them."""
    if not broken:
        return ()
    count = "One file was left out" if len(broken) == 1 else f"{len(broken)} files were left out"
    return (f"{count}. {broken[0]}" if len(broken) == 1 else f"{count}; the first: {broken[0]}",)


def _generated(name: str, count: int | None, seed: int, size: tuple[int, int] | None, classes: Sequence[int]) -> Bits[DataSet]:
    if name not in DRAWN:
        raise GibbonError(f'This project draws no "{name}": use {" or ".join(f"generated:{drawn}" for drawn in DRAWN)}.')
    from engine.data import generated

    count = DRAWN[name] if count is None else count
    if count > _MOST_DRAWN:
        raise GibbonError(f"{count:,} drawn images were asked for, and {_MOST_DRAWN:,} are allowed: drawing them would take too long.")
    if size is not None and size[0] != size[1]:
        raise GibbonError(f"Drawn images are square, but {size[0]} × {size[1]} was asked for: give one side twice.")
    labels = SIGN_LABELS if name == "signs" else DIGIT_LABELS
    wanted = checked_classes(classes, labels)
    if name == "signs":
        images, targets = yield from generated.generated_signs(count, seed, (size or (32, 32))[0], wanted)
    else:
        images, targets = yield from generated.generated_digits(count, seed, (size or (28, 28))[0], wanted)
    source = f"{count} {name} drawn by this project from seed {seed}"
    pixels = torch.from_numpy(images).reshape(*images.shape[:3], -1)  # digits are grey, and have no axis for channels
    stack = pixels.permute(0, 3, 1, 2).contiguous()
    turns = torch.arange(count) // (len(wanted) or len(labels))
    places = turns * len(labels) + torch.as_tensor(targets)
    return DataSet(
        f"generated:{name}", labels, stack, torch.as_tensor(targets, dtype=torch.int64), source, seed=seed, places=_numbers(places)
    )


def _origin(name: str, split: Split) -> tuple[str, str]:
    return f"{CITATIONS[name]}, {split}", LICENCES[name]


def _chosen(selection: Selection, targets: Sequence[int] | Tensor, labels: Sequence[str]) -> tuple[Tensor, int]:
    """Return the places of the chosen images, and the number of images that have one of the classes."""
    classes = checked_classes(selection.classes, labels)
    fitting = len(targets) if not classes else int(torch.isin(torch.as_tensor(targets), torch.tensor(classes)).sum())
    return selection.places(targets), fitting


def _numbers(places: Tensor) -> tuple[int, ...]:
    return tuple(places.tolist())
