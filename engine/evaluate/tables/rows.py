"""An image of a cell as a row of a batch, so that it is opened and attacked again like any other image."""

from __future__ import annotations

from dataclasses import replace

from engine.data import DataSet
from engine.evaluate.batch import ImageResults, ImageRow, attack_images, from_data
from engine.evaluate.tables.cells import Cell
from engine.evaluate.tables.posing import Bench


def as_row(bench: Bench, data: DataSet, cell: Cell, index: int, seed: int) -> tuple[ImageResults, ImageRow]:
    """Return the batch of all images of a cell, without outcomes, and the row of one of them.

    The images are those that were attacked, on the model where they were made. Attacked again, image ``index`` gives the same bits, which
    the row's hash proves.

    Parameters
    ----------
    bench
        The images and the model that was attacked.
    data
        The data set of the cell.
    seed
        The seed of image 0.
    """
    posed = bench.posed(slice(index, index + 1))
    variant, classifier = bench.variant, bench.classifier
    batch = attack_images(
        variant.attack, classifier, from_data(data, classifier), seed=seed, aim=variant.aim, together=bench.together, keep_bytes=0
    )
    row = ImageRow(
        index,
        cell.name(index),
        posed.seeds[0],
        labels=classifier.labels,
        label=int(posed.labels[0]),
        target=None if posed.targets is None else int(posed.targets[0]),
        sha256=cell.digests[index],
    )
    return replace(batch.result(), rows=(row,)), row
