"""Subjects: the images of a batch, from a data set or from files. A file is opened when its turn comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.class_matching import class_numbers
from engine.classifier import Classifier
from engine.data import DataSet, Selection
from engine.data.files import class_folders, entries, images_in
from engine.errors import GibbonError
from engine.images import Photograph, from_array, open_image
from engine.text.cards import without_kind

_WORDNET = re.compile(r"n\d{8}[_-](?P<name>.*[A-Za-z].*)")
"""A file name of ImageNet: the WordNet number, then the name of the class."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One image of a batch, which is opened when its turn comes."""

    name: str
    open: Callable[[], Photograph]
    """Opens the image, or raises a `GibbonError` that says why it cannot be opened."""
    label: int | None = None
    """The true class as a number of the classifier; None: unknown, or a class that the classifier does not have."""
    source: str = ""
    """The data set's title and authors; empty for a file."""


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images of a batch, and how they were chosen."""

    items: tuple[Subject, ...]
    words: str
    """The selection in words, such as “mnist:test: 200 of 10,000 images, spread evenly”."""
    origin: dict[str, Any] = field(default_factory=dict)
    """The selection as plain values, for the record: the data set with its selection, or the files."""
    notes: tuple[str, ...] = ()
    """Sentences for the user, such as classes that the classifier does not have."""

    def __len__(self) -> int:
        return len(self.items)

    def labelled(self, labels: Sequence[int | None]) -> Subjects:
        """Return the images with these labels, one for each; None: unknown."""
        return replace(self, items=tuple(replace(item, label=label) for item, label in zip(self.items, labels, strict=True)))


def from_data(data: DataSet, classifier: Classifier, selection: Selection | None = None) -> Subjects:
    """Return the images of a data set as subjects; classes are matched by `DataSet.numbers_in`.

    ``selection`` is the one with which the set was loaded, for the words and the record.
    """
    numbers = data.numbers_in(classifier.labels)
    chosen = selection or Selection(len(data))
    places = data.places or tuple(range(len(data)))

    def subject(row: int) -> Subject:
        name = f"{data.name}[{places[row]}]"
        return Subject(name, lambda: from_array(data.thumbnail(row), name), numbers[int(data.targets[row])], data.source)

    items = tuple(subject(row) for row in range(len(data)))
    origin = {
        "data": data.name,
        "count": len(data),
        "classes": list(chosen.classes),
        "draw": chosen.seed,
        "seed": data.seed,
        "sha256": data.sha256,
    }
    unknown = sorted({data.labels[int(target)] for target in data.targets if numbers[int(target)] is None})
    words = f"{without_kind(data.name)}: {chosen.words(len(data), data.fitting, data.labels)}"
    return Subjects(items, words, origin, (*data.notes, *_unlabelled(len(items), unknown, data, classifier)))


def from_files(paths: Iterable[Path | str], classifier: Classifier, selection: Selection | None = None) -> Subjects:
    """Return image files, and those of folders, as subjects in the given order.

    A folder counts for its images, and for those of its folders, each of which is a class. A file's label is its folder's class, or the
    class in a file name of ImageNet (``n02510455_giant_panda.jpg``), where the classifier has it. A file that cannot be opened is an item
    all the same: its row says why. ``selection`` takes a part of the files; its ``classes`` do not apply.

    Raises
    ------
    GibbonError
        A path does not exist, or there are no images at all.
    """
    found = [item for path in paths for item in _expanded(Path(path).expanduser())]
    if not found:
        raise GibbonError("There are no images in what was given. Give image files, or a folder that holds some.")
    chosen = selection or Selection()
    places: list[int] = chosen.places([0] * len(found)).tolist()
    items = tuple(_file(found[place], classifier) for place in places)
    origin = {"files": [item.name for item in items], "draw": chosen.seed}
    words = chosen.words(len(items), len(found)).replace("images", "files").replace("image", "file")
    return Subjects(items, words, origin)


def _expanded(path: Path) -> list[tuple[Path, str]]:
    """Return the image files of a path, each with the name of its class folder, if it has one."""
    if path.is_dir():
        flat = [(file, "") for file in images_in(path)]
        samples, names = class_folders(path)
        return flat + [(file, names[number]) for file, number in samples]
    if not path.exists():
        raise GibbonError(f"{path} does not exist. Give an image file or a folder of images.")
    return [(path, "")]


def _file(found: tuple[Path, str], classifier: Classifier) -> Subject:
    path, folder = found
    wordnet = _WORDNET.fullmatch(path.stem)
    names = [name for name in (folder, "" if wordnet is None else wordnet["name"]) if name]
    numbers = (class_numbers([name], classifier.labels)[0] for name in names)
    return Subject(str(path), lambda: open_image(path), next((number for number in numbers if number is not None), None))


def _unlabelled(count: int, unknown: Sequence[str], data: DataSet, classifier: Classifier) -> tuple[str, ...]:
    if not unknown:
        return ()
    listed = ", ".join(f"“{name}”" for name in unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
    return (f"“{classifier.name}” has no class {listed}: such images are led away from the model's own prediction.",)


def has_images(folder: Path) -> bool:
    """Return whether a folder holds images, right inside or one folder down."""
    return bool(images_in(folder)) or any(images_in(child) for child in entries(folder) if child.is_dir())
