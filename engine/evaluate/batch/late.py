"""Images of a batch that was made earlier: named now, and loaded when one of them is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import GibbonError
from engine.evaluate.batch.rows import ImageRow
from engine.evaluate.batch.subjects import Subject, Subjects
from engine.images import Photograph, from_array, open_image

if TYPE_CHECKING:
    from engine.data import DataSet


@dataclass(frozen=True, eq=False)
class LateData:
    """A data set by its name and its selection, which is loaded when it is first asked for."""

    name: str
    """Name in ``engine.data``, with its split: "mnist:test"."""
    count: int
    seed: int
    sha256: str
    classes: tuple[int, ...] = ()
    draw: int | None = None
    root: Path | None = None

    def __len__(self) -> int:
        return self.count

    @cached_property
    def loaded(self) -> DataSet:
        """The data set.

        Raises
        ------
        GibbonError
            It is not here, or its images are others now.
        """
        from engine import data as data_sets

        name, split = data_sets.parse_name(self.name)
        found = data_sets.load(name, split, self.root, count=self.count, seed=self.seed, classes=self.classes, draw=self.draw)
        if found.sha256 != self.sha256:
            raise GibbonError(
                f"The images of “{self.name}” are not those that were attacked: the files have changed. Use the original ones."
            )
        return found


def late_subjects(
    rows: Sequence[ImageRow], count: int, words: str, notes: tuple[str, ...], images: LateData | Sequence[tuple[Path, int | None]]
) -> Subjects:
    """Return the images of an earlier batch, of a data set or of files with their labels. Nothing is read before one is opened.

    ``rows`` are those that the batch got done, of ``count`` images.
    """
    known = {row.number: row for row in rows}
    if isinstance(images, LateData):
        return Subjects(
            tuple(_of_set(images, number, known.get(number)) for number in range(count)),
            words,
            {name: getattr(images, field) for name, field in _ORIGIN.items()} | {"classes": list(images.classes)},
            notes,
        )
    items = tuple(Subject(str(path), _opener(path), label) for path, label in images)
    return Subjects(items, words, {"files": [item.name for item in items], "draw": None}, notes)


_ORIGIN = {"data": "name", "count": "count", "draw": "draw", "seed": "seed", "sha256": "sha256", "root": "root"}


def _opener(path: Path) -> Callable[[], Photograph]:
    return lambda: open_image(path)


def _of_set(images: LateData, number: int, row: ImageRow | None) -> Subject:
    name = f"{images.name}[{number}]" if row is None else row.name
    label = None if row is None or row.label_assumed else row.label
    return Subject(name, lambda: from_array(images.loaded.thumbnail(number), name), label)


def with_data(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a batch with the data set that the attack learns from loaded."""
    return {**inputs, "data": inputs["data"].loaded} if isinstance(inputs["data"], LateData) else inputs
