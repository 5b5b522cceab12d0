"""The engine's work for opening a row of a table of images: attacking it again, and making a finished run of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import completed
from gui.session.attack_start import scene_after
from gui.session.defense import behind
from gui.session.history import AttackRun
from gui.session.open_image import cropped
from gui.session.scene import Scene

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults, ImageRow, RowAgain, RowRun
    from gui.session.data_choice import Choice


def row_run(results: ImageResults, row: ImageRow, max_bytes: int) -> RowRun:
    """Begin the attack of one row again. Called in the engine thread."""
    from engine.evaluate.batch import RowRun

    return RowRun(results.on(results.undefended, behind(results.undefended, results.defense)), row, max_bytes)


def completed_row(again: RowAgain) -> RowAgain:
    """Return the row with its result's cached properties computed, so that the main thread needs no forward pass."""
    again.timeline.settle()
    return replace(again, result=completed(again.result))


def run_of(results: ImageResults, again: RowAgain, data: Choice | None = None) -> AttackRun:
    """Make a finished run of one row that was attacked again."""
    inputs, row, classifier = results.inputs, again.row, results.undefended
    subject, opened = results.subjects.items[row.number], cropped(again.photograph, classifier)
    info = {**opened.info, **({"source": subject.source} if subject.source else {})}
    before = Scene(classifier, opened.clean, inputs["stickers"], defense=results.defense)
    label = None if row.label_assumed else row.label
    taken = AttackInputs(inputs["region"], label, row.target, row.seed, data, inputs["start"], defense=results.defense)
    after = scene_after(before, again.result)
    return AttackRun(
        result=again.result,
        scene=after,
        before=before,
        image=info,
        inputs=taken,
        photograph=opened.photograph,
        timeline=again.timeline,
    )
