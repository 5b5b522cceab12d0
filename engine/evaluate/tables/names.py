"""The check of a table's names before anything is computed: models, defenses, data sets, and where the images are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from engine import data as data_sets
from engine import models
from engine.defenses import preprocessing
from engine.errors import GibbonError
from engine.evaluate.defended import split
from engine.evaluate.tables.spec import ITSELF, UNDEFENDED, TableModel, TableSpec
from engine.text.nearest import did_you_mean


def check_names(
    spec: TableSpec,
    classifiers: Collection[str] = (),
    sets: Collection[str] = (),
    root: Path | str | None = None,
    *,
    own_loader: bool = False,
    download: bool = False,
) -> None:
    """Refuse a table that names what does not exist, without loading any of it.

    Only loading tells whether classes and channels fit; a cell that fails by these has its own sentence.

    Parameters
    ----------
    spec
        The specification of the table.
    classifiers, sets
        Sources of the classifiers and names of the data sets that are loaded already.
    root
        Folder of the data sets; None: the default of `engine.data.load`.
    own_loader
        Whether models are loaded by a function of the caller's, which alone knows their sources.
    download
        Whether published data sets that are missing will be downloaded.

    Raises
    ------
    GibbonError
        A name is unknown or a file is missing. There is one sentence for each name, with the nearest one that is known.
    """
    known = _Known(spec, frozenset(classifiers), own_loader)
    faults = [*known.faults(), *_faults_of_data(spec, sets, root, download)]
    if faults:
        raise GibbonError(" ".join(dict.fromkeys(faults)))


class _Known:
    """The models that can be named in a table."""

    def __init__(self, spec: TableSpec, classifiers: frozenset[str], own_loader: bool) -> None:
        self._spec, self._classifiers, self._own_loader = spec, classifiers, own_loader

    def faults(self) -> Iterator[str]:
        """Yield a sentence for each model, defense and place that cannot be."""
        for row in self._spec.models:
            yield from self._of_model(row)
        rows = [row.source for row in self._spec.models]
        for place in self._spec.crafted_on:
            if place in (ITSELF, UNDEFENDED) or any(row.title == place for row in self._spec.models):
                continue
            source, defense = split(place)
            if source in rows:  # the row says whether there is such a model
                yield from _fault(preprocessing.read, defense)
            else:
                yield from self._of_place(place, source, defense)

    def _of_model(self, row: TableModel) -> Iterator[str]:
        if not (self._own_loader or row.source in self._classifiers):
            yield from _fault(models.check_source, row.source, architecture=row.architecture, activation=row.activation)
        yield from _fault(preprocessing.read, row.defense)

    def _of_place(self, place: str, source: str, defense: str) -> Iterator[str]:
        if self._own_loader or source in self._classifiers:
            yield from _fault(preprocessing.read, defense)
            return
        found = list(_fault(models.check_source, source))
        if found and not (models.is_file(source) or ":" in source):  # a name: of a row, or of a model that ships
            names = [
                ITSELF,
                UNDEFENDED,
                *(row.title for row in self._spec.models),
                *(entry.source for entry in models.catalogue(with_torchvision=False)),
            ]
            cure = did_you_mean(place, names, "Write itself, undefended, or the name or source of a model.")
            found = [f"crafted_on has “{place}”, which is no model and no name in the table. {cure}"]
        yield from found
        yield from _fault(preprocessing.read, defense)


def _faults_of_data(spec: TableSpec, sets: Collection[str], root: Path | str | None, download: bool) -> Iterator[str]:
    for entry in spec.data:
        if entry.name not in sets:
            name, part = data_sets.parse_name(entry.name)
            yield from _fault(data_sets.check_there, name, part, root, download)


def _fault(check: Callable[..., object], *given: Any, **named: Any) -> Iterator[str]:
    """Yield the sentence of a check that refuses."""
    try:
        check(*given, **named)
    except GibbonError as error:
        yield str(error)
