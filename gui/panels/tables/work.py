"""The engine's work for the Tables dock: starting a table, its sheet so far, and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.panels.tables.sheet import Sheet, sheet_of
from gui.session.evaluations import begin_table

if TYPE_CHECKING:
    from engine import Attack, Classifier
    from engine.evaluate.tables import TableRun, TableSpec
    from gui.session.model_rows import ModelRow

LAST = "tables/last"
"""The setting that holds the specification of the last table."""


@dataclass(frozen=True, eq=False)
class TableRequest:
    """Everything that a table is computed from, fixed at its start."""

    spec: TableSpec
    folder: Path
    root: Path | None
    """Folder of the data sets."""
    classifiers: Mapping[str, Classifier]
    """The models that are loaded already, by source."""
    afresh: bool
    """Whether finished cells are computed once more."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The lists that the builder chooses from."""

    shipped: tuple[ModelRow, ...]
    attacks: Mapping[str, type[Attack]]
    last: TableSpec | None
    """The specification of the last table; None: there is none that can still be read."""


def parts(last: str) -> Parts:
    """Import what the builder needs, and list the models and attacks. Called in an engine thread; ``last`` is TOML."""
    from engine.attacks import CATALOGUE
    from gui.choosers.attack_dialog import table_attacks
    from gui.session.model_rows import shipped_models

    return Parts(shipped_models(), table_attacks(CATALOGUE), _read(last))


def _read(text: str) -> TableSpec | None:
    import tomllib

    from engine.errors import GibbonError
    from engine.evaluate.tables import TableSpec

    try:
        return TableSpec(**tomllib.loads(text)) if text else None
    except (GibbonError, tomllib.TOMLDecodeError, TypeError):
        return None  # an attack or a field of another version


def table_run(request: TableRequest) -> TableRun:
    """Start a table in its folder, going on where it was left. Called in an engine thread."""
    from engine.evaluate.tables import check_names, evaluate_table, forget_cells

    check_names(request.spec, request.classifiers, root=request.root)  # before kept cells are removed or a folder is made
    if request.afresh:
        forget_cells(request.spec, request.folder)
    begin_table(request.folder)
    return evaluate_table(request.spec, request.folder, resume=True, renew=True, classifiers=request.classifiers or None, root=request.root)


def sheets() -> Callable[[TableRun, Any], Sheet | None]:
    """Return a function that makes the sheet of a run so far, and None while no further cell is finished."""
    seen = -1

    def preview(run: TableRun, _step: Any) -> Sheet | None:
        nonlocal seen
        count = len(run.cells)
        if count == seen:
            return None
        seen = count
        return sheet_of(run.result())

    return preview


def write_numbers(sheet: Sheet, path: Path) -> list[Path]:
    """Write the table as CSV, and its record as JSON."""
    from engine.record import write_table

    return write_table(sheet.results, path.with_suffix(""))


def write_figure(sheet: Sheet, path: Path) -> list[Path]:
    """Draw the table as PDF, SVG or PNG, by the file's ending, with its record beside it."""
    from engine.figures import export, table_figure
    from engine.record import table_record

    return list(export(table_figure(sheet.results), path, table_record(sheet.results)))


def write_spec(spec: TableSpec, path: Path) -> list[Path]:
    """Write the specification as TOML."""
    from engine.evaluate.tables import spec_toml
    from engine.files import replacing

    with replacing(path) as staged:
        staged.write_text(spec_toml(spec), encoding="utf-8")
    return [path]
