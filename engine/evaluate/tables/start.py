"""The function that starts a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.classifier import Classifier
from engine.data import DataSet
from engine.defenses.training.sharing import Share
from engine.evaluate.tables.keeping import Keeper
from engine.evaluate.tables.names import check_names
from engine.evaluate.tables.plan import crafts_of
from engine.evaluate.tables.running import TableRun
from engine.evaluate.tables.spec import TableSpec
from engine.evaluate.tables.stock import Load, Stock


def forget_cells(spec: TableSpec, folder: Path | str) -> None:
    """Remove the finished cells of a table from its folder, so that they are computed once more."""
    keeper = Keeper(Path(folder))
    for craft in crafts_of(spec):
        for key in craft.cells:
            keeper.forget(key)


def evaluate_table(
    spec: TableSpec,
    folder: Path | str | None = None,
    *,
    resume: bool = False,
    renew: bool = False,
    load: Load | None = None,
    classifiers: Mapping[str, Classifier] | None = None,
    sets: Mapping[str, DataSet] | None = None,
    root: Path | str | None = None,
    download: bool = False,
    share: Share | None = None,
) -> TableRun:
    """Start a table; each step is computed when the run is pulled.

    The result is the same whether one process computes it or several, which ``torchrun`` starts.

    Parameters
    ----------
    spec
        The specification: `read_spec` reads one from a file.
    folder
        Where finished cells and adversarial images are kept; None: in memory.
    resume
        Whether cells that are kept in the folder are used.
    renew
        With ``resume``: whether a kept cell that belongs to other settings is computed again, instead of ending the run.
    load
        Loads the classifier of a row; None: `engine.models.load`, which runs no code of the user's and downloads nothing.
    classifiers, sets
        Classifiers by source and data sets by name that are loaded already.
    root
        Folder of the data sets; None: the default of `engine.data.load`.
    download
        Whether to download published data sets that are missing.
    share
        The place of this process among those that compute the table; None: as ``torch.distributed`` says.

    Raises
    ------
    GibbonError
        The specification names a model, defense or data set that does not exist; or the folder holds cells of this table and ``resume``
        is not set.
    """
    check_names(spec, classifiers or (), sets or (), root, own_loader=load is not None, download=download)
    stock = Stock(spec, load, classifiers, sets, root, download)
    return TableRun(spec, stock, None if folder is None else Path(folder), resume=resume, renew=renew, share=share)
