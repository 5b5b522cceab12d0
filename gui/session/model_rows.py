"""The models that evaluations can choose from: those of this session, the shipped ones, and those that were named by hand. No Qt."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Classifier
    from engine.evaluate.tables import TableModel


@dataclass(frozen=True, eq=False)
class ModelRow:
    """A row of an evaluation, with the classifier where it is loaded already."""

    entry: TableModel
    classifier: Classifier | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """The name of the row."""
        return self.entry.title


def of_classifier(classifier: Classifier, taken: Container[str] = ()) -> ModelRow:
    """Return a loaded model as a row that is called as the window calls the model, wherever its file is.

    One that was changed after it was loaded, or has no file, has its name as its source, so that it is not mixed up. A name that a row of
    another network has taken gets the beginning of the fingerprint behind it.
    """
    from engine.evaluate.tables import TableModel

    changed = bool(classifier.activations or classifier.bounds or classifier.before) or classifier.input_shape != classifier.native_shape
    file, name = "" if changed else classifier.source or "", classifier.name
    if name in taken and name != file:
        name = f"{name} ({classifier.fingerprint[:8]})"
    source = file or name
    here = "Loaded in this session"
    note = f"{here}, and changed: {', '.join(classifier.changes)}. The command line does not know it by this name." if changed else here
    return ModelRow(TableModel(source=source, name="" if name == source else name), classifier, note)


def choices(loaded: Sequence[Classifier], shipped: Sequence[ModelRow], named: Sequence[ModelRow]) -> tuple[ModelRow, ...]:
    """Return the rows to choose from, each name once: the loaded ones first."""
    found: dict[str, ModelRow] = {}
    ships = {row.title for row in shipped}
    for classifier in loaded:
        row = of_classifier(classifier, ships | found.keys())
        found.setdefault(row.title, row)
    for row in (*shipped, *named):
        found.setdefault(row.title, row)
    return tuple(found.values())


def shipped_models() -> tuple[ModelRow, ...]:
    """Return the models that are shipped with the program. They are loaded when they are needed."""
    from engine.evaluate.tables import TableModel
    from engine.models import catalogue

    return tuple(
        ModelRow(
            TableModel(source=entry.source), note="\n".join(filter(None, (entry.training, f"{entry.classes} classes", entry.attacked)))
        )
        for entry in catalogue(with_torchvision=False)
        if entry.available
    )


def named_model(text: str) -> ModelRow:
    """Return the row of a text such as ``digits + jpeg quality=75``.

    Raises
    ------
    GibbonError
        The text names no model, or a defense that does not exist.
    """
    from engine.defenses import preprocessing
    from engine.errors import GibbonError
    from engine.evaluate.tables import TableModel

    if not text.strip().partition("+")[0].strip():
        raise GibbonError("Name a model first, such as “digits + jpeg quality=75”.")
    entry = TableModel.model_validate(text)
    preprocessing.read(entry.defense)  # it raises
    return ModelRow(entry, note="Loaded when it is needed")
