"""The models and data sets of a table, each loaded once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from engine import data as data_sets
from engine import models
from engine.bits import Bits
from engine.classifier import Classifier
from engine.data import DataSet
from engine.data.drawn import DRAWN
from engine.data.sources import loading
from engine.errors import GibbonError, in_words
from engine.evaluate.defended import defended
from engine.evaluate.tables.crafting import Judge
from engine.evaluate.tables.plan import Craft
from engine.evaluate.tables.posing import Bench
from engine.evaluate.tables.spec import TableData, TableModel, TableSpec
from engine.evaluate.transfer import as_taken, images_of
from engine.files import file_digest

Load = Callable[[TableModel], Classifier]
"""Loads the classifier of a row, without its defense."""


def load_model(entry: TableModel) -> Classifier:
    """Load the classifier of a row by `engine.models.load`, which runs no code of the user's and downloads nothing."""
    return models.load(entry.source, architecture=entry.architecture, activation=entry.activation, head=entry.head)


class Stock:
    """Loads what a table needs, and keeps it.

    Parameters
    ----------
    spec
        The specification of the table.
    load
        Loads the classifier of a row; None: `load_model`.
    classifiers, sets
        Classifiers by source and data sets by name that are loaded already.
    root
        Folder of the data sets; None: the default of `engine.data.load`.
    download
        Whether to download published data sets that are missing.
    """

    def __init__(
        self,
        spec: TableSpec,
        load: Load | None = None,
        classifiers: Mapping[str, Classifier] | None = None,
        sets: Mapping[str, DataSet] | None = None,
        root: Path | str | None = None,
        download: bool = False,
    ) -> None:
        self._spec, self._load, self._root, self._download = spec, load or load_model, root, download
        self._given = dict(classifiers or {})
        self._plain: dict[TableModel, Classifier | GibbonError] = {}
        self._sets: dict[str, DataSet | GibbonError] = dict(sets or {})
        self._taken: dict[tuple[TableModel, tuple[int, ...]], Classifier] = {}

    @property
    def loaded(self) -> list[DataSet]:
        """The data sets that were loaded so far."""
        return [data for data in self._sets.values() if isinstance(data, DataSet)]

    def found(self, entry: TableData) -> DataSet | None:
        """Return a data set that was loaded; None: it was not, or cannot be."""
        data = self._sets.get(entry.name)
        return data if isinstance(data, DataSet) else None

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of the models that were loaded so far."""
        return tuple(sorted({str(model.device) for model in self._taken.values()}))

    def loading(self, entry: TableData) -> Bits[None]:
        """Load a data set image by image, unless it is here; an error is kept and raised where the set is used."""
        if entry.name in self._sets:
            return
        name, split = data_sets.parse_name(entry.name)
        drawn = name.removeprefix("generated:") in DRAWN and name.startswith("generated:")
        chosen: dict[str, Any] = {"seed": entry.seed or 0} if drawn else {"draw": entry.seed}
        try:
            self._sets[entry.name] = yield from loading(name, split, self._root, self._download, count=entry.count, **chosen)
        except Exception as error:
            self._sets[entry.name] = GibbonError(in_words(error, f"Loading “{entry.name}”"))

    def data(self, entry: TableData) -> DataSet:
        """Return a data set, loaded now if that was not done before."""
        for _ in self.loading(entry):
            pass
        found = self._sets[entry.name]
        if isinstance(found, GibbonError):
            raise found
        return found

    def classifier(self, entry: TableModel, data: DataSet) -> Classifier:
        """Return a model with its defense, for images of the data set's size, named as in the table.

        Raises
        ------
        GibbonError
            The model cannot be loaded, has no such defense, or takes images of other channels.
        """
        key = (entry.nameless, data.shape)
        if key not in self._taken:
            model = defended(self._undefended(entry.undefended.nameless), entry.defense)
            taken = as_taken(model, data.shape)
            if taken is None:
                raise GibbonError(
                    f"“{entry.title}” takes {images_of(model.input_shape[0])}, “{data.name}” has {images_of(data.shape[0])}. "
                    "Choose a model for such images."
                )
            self._taken[key] = taken
        return self._taken[key]

    def _undefended(self, entry: TableModel) -> Classifier:
        if entry.source in self._given:
            return self._given[entry.source]
        if entry not in self._plain:
            try:
                self._plain[entry] = self._load(entry)
            except Exception as error:
                self._plain[entry] = GibbonError(in_words(error, f"Loading “{entry.source}”", "Check the model."))
        found = self._plain[entry]
        if isinstance(found, GibbonError):
            raise found
        return found

    def judge(self, entry: TableModel, data: DataSet) -> Judge:
        """Return a model with the true classes as its own numbers.

        Raises
        ------
        GibbonError
            The model cannot be used on the data set, such as for other classes.
        """
        classifier = self.classifier(entry, data)
        return Judge(classifier, data.targets_for(classifier.labels, entry.title))

    def bench(self, craft: Craft) -> Bench:
        """Return everything that decides the images of one attack."""
        data = self.data(craft.data)
        maker = self.judge(craft.maker, data)
        images, _ = data.batch(slice(None))
        device, dtype = maker.classifier.device, maker.classifier.dtype
        moved: tuple[Tensor, Tensor] = images.to(device, dtype), maker.labels.to(device)
        return Bench(craft.variant, maker.classifier, *moved, self._spec.seeds(len(data)), self._spec.together)

    def facts(self, craft: Craft, bench: Bench, judge: Judge) -> dict[str, Any]:
        """Return everything that a cell depends on, for the comparison with a kept one."""
        data, attack = self.data(craft.data), craft.variant.attack
        return {
            "model": judge.classifier.fingerprint,
            "crafted on": bench.classifier.fingerprint,
            "hash of the images": data.sha256,
            "count of images": len(data),
            "attack": attack.slug,
            "parameters": attack.model_dump(mode="json"),
            "files": {name: file_digest(path) for name, path in attack.named_files().items() if path.is_file()},
            "aim": craft.variant.aim,
            "seed": self._spec.seed,
            "together": self._spec.together,
        }


@dataclass(frozen=True, eq=False)
class Prepared:
    """An attack of the plan with what it needs, or the sentences that say why it or some of its cells cannot be computed."""

    craft: Craft
    bench: Bench | None
    judges: tuple[Judge | GibbonError, ...]


def prepared(stock: Stock, craft: Craft) -> Prepared:
    """Load what an attack of the plan needs; errors are kept for the cells that they concern."""
    try:
        bench = stock.bench(craft)
    except GibbonError as error:
        return Prepared(craft, None, (error,) * len(craft.judges))
    judges: list[Judge | GibbonError] = []
    for model, _ in craft.judges:
        try:
            judges.append(stock.judge(model, stock.data(craft.data)))
        except GibbonError as error:
            judges.append(error)
    return Prepared(craft, bench, tuple(judges))
