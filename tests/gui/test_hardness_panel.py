"""The Hardness dock: this image against a reference set that is measured in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from engine.evaluate import HardSamples
from gui.panels.hardness import HardnessPanel
from gui.panels.hardness.words import bins, image_words, rank, rank_words, reference_words
from gui.session.data_choice import Choice
from gui.session.hardness import Mark, Reference
from tests.gui.driving import click, settle, until
from tests.gui.panel_scenes import grey_folder, noise, open_image, show, small

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> HardnessPanel:
    session.change(ready=True)
    open_image(qtbot, session)
    made: HardnessPanel = show(qtbot, HardnessPanel(session), 900, 320)
    return made


def by_hand(session: Session, clean: torch.Tensor, label: int) -> int:
    import torch

    with engine.start(HardSamples(), session.classifier, clean[None], labels=torch.tensor([label])) as run:
        return int(list(run)[-1].steps[0])


def test_this_image_is_measured_when_the_dock_is_seen(panel: HardnessPanel, session: Session) -> None:
    until(lambda: session.hardness.mark is not None, "the mark")
    settle()
    expected = by_hand(session, session.clean, session.state.assumed_label)
    assert session.hardness.mark.steps == expected
    assert f"after {expected:,} step" in panel.verdict.text
    assert "Measure a reference set" in panel.rank.text
    assert not panel.plot.isVisible()


def test_another_image_or_label_is_measured_anew(panel: HardnessPanel, session: Session) -> None:
    until(lambda: session.hardness.mark is not None, "the mark")
    other = noise(9)
    session.set_image(other, {"name": "another"})
    until(lambda: session.hardness.mark.clean is other, "the other mark")
    wrong = (session.state.assumed_label + 1) % 6
    session.set_label(wrong)
    until(lambda: session.hardness.mark.label == wrong, "the mark of the label")
    settle()
    assert session.hardness.mark.steps == 0
    assert panel.verdict.text == "The model misreads this image as it is: it takes 0 steps."


def test_what_nobody_sees_is_not_measured(qtbot: QtBot, session: Session) -> None:
    hidden = HardnessPanel(session)
    qtbot.addWidget(hidden)
    open_image(qtbot, session)
    settle()
    assert session.hardness.mark is None
    assert not session.waiting("hardness")


def test_a_reference_set_is_measured_shown_and_kept_for_its_model(
    qtbot: QtBot, panel: HardnessPanel, session: Session, tmp_path: Path
) -> None:
    panel.data.add_folder(labelled(tmp_path))
    panel.data.count.setValue(12)
    assert panel.foot.run.isEnabled()
    click(panel.foot.run)
    assert session.hardness.runner.running
    assert not panel.foot.run.isEnabled()
    assert [work.title for work in session.jobs.running] == ["Hard samples"]
    until(lambda: not session.hardness.runner.running, "the end of the measurement")
    settle()
    reference = session.hardness.reference(session.classifier)
    assert reference is not None
    assert len(reference.steps) == 12
    assert panel.plot.isVisible()
    assert panel.plot.counts.sum() == (reference.steps <= reference.budget).sum()
    until(lambda: session.hardness.mark is not None, "the measurement of the image itself")  # the other lane makes it
    settle()
    assert "of the 12 images" in panel.rank.text or "misread as well" in panel.rank.text
    steps = panel.plot.edges
    panel.measure.setCurrentIndex(1)
    assert panel.plot.label == "L2 norm to flip"
    assert not np.array_equal(panel.plot.edges, steps)
    # another model has no reference; with the first one it comes back
    first = session.classifier
    session.set_classifier(small(3))
    settle()
    assert session.hardness.reference(session.classifier) is None
    assert not panel.plot.isVisible()
    session.set_classifier(first)
    settle()
    assert panel.plot.isVisible()


def labelled(folder: Path) -> Path:
    """A folder of twelve grey images in folders named after the classes of the small classifier."""
    for place, name in enumerate(("Stop", "Yield")):
        (folder / name).mkdir()
        grey_folder(folder / name, 6, 16 + 0 * place)
    return folder


def test_cancelling_keeps_what_was_measured(
    panel: HardnessPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.evaluate.hard_samples.rows_per_pass", lambda _: 2)
    session.hardness.runner._timer.setInterval(1)
    panel.data.add_folder(labelled(tmp_path))
    panel.data.count.setValue(12)
    click(panel.foot.run)
    until(lambda: session.hardness.reference(session.classifier) is not None or not session.hardness.runner.running, "some images")
    click(panel.foot.cancel)
    until(lambda: not session.hardness.runner.running, "the end")
    settle()
    reference = session.hardness.reference(session.classifier)
    assert reference is not None
    assert 0 < len(reference.steps) <= 12
    assert panel.foot.run.isEnabled()


def test_a_set_that_does_not_fit_is_a_sentence(panel: HardnessPanel, session: Session) -> None:
    session.hardness.measure_set(session.classifier, Choice("generated:digits", "", 10))
    until(lambda: not session.hardness.runner.running, "the end")
    settle()
    assert "Choose a set of that size" in panel.foot.message.text
    assert session.hardness.reference(session.classifier) is None


# ---------------------------------------------------------------------- words


def mark(steps: int, l2: float = 0.5) -> Mark:
    import torch

    return Mark(small(), torch.zeros(3, 16, 16), 0, steps, l2, 100, 1 / 255)


STEPS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 101.0])
NORMS = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, np.inf])
REFERENCE = Reference("signs", 10, STEPS, NORMS, 100, 1 / 255)


def test_ranks_are_between_those_below_and_those_above() -> None:
    assert rank(3, np.array([1.0, 2, 3, 3, 5])) == pytest.approx(0.6)
    assert rank(0, np.array([1.0, 2])) == 0
    assert rank(np.inf, np.array([1.0, np.inf])) == 0.75


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (0, "The model misreads this image as it is: it takes 0 steps."),
        (1, "This image flips after 1 step of 1/255, changed by L2 0.5."),
        (7, "This image flips after 7 steps of 1/255, changed by L2 0.5."),
        (101, "This image does not flip within 100 steps of 1/255."),
    ],
)
def test_sentences_about_an_image(steps: int, sentence: str) -> None:
    assert image_words(mark(steps)) == sentence


def test_sentences_about_its_place() -> None:
    assert (
        rank_words(mark(8), REFERENCE, "steps")
        == "85 % of the 10 images of signs flip sooner: it lies farther from the boundary than most."
    )
    assert (
        rank_words(mark(1), REFERENCE, "steps")
        == "85 % of the 10 images of signs hold out longer: it lies nearer the boundary than most, a hard sample."
    )
    assert rank_words(mark(0, 0.0), REFERENCE, "l2") == "Of the 10 images of signs, 1 is misread as well."
    assert rank_words(mark(101, np.inf), REFERENCE, "l2").startswith("95 % of the 10 images")
    assert reference_words(REFERENCE) == "10 images of signs: median 4.5 steps, 1 misread, 1 never flipped."


@pytest.mark.parametrize("measure", ["steps", "l2"])
@pytest.mark.parametrize("own", [None, 0.0, 3.0, 50.0, np.inf])
def test_every_image_that_flips_is_in_one_bin_and_the_mark_is_on_the_axis(measure: str, own: float | None) -> None:
    edges, counts = bins(REFERENCE, measure, own)  # type: ignore[arg-type]
    assert counts.sum() == 9
    assert (np.diff(edges) > 0).all()
    if own is not None and np.isfinite(own):
        assert edges[0] <= own <= edges[-1]


@pytest.mark.parametrize("own", [None, 0.0, 4.0, 8.0, np.inf])
def test_the_plot_paints_any_mark(qtbot: QtBot, panel: HardnessPanel, own: float | None) -> None:
    panel.plot.show()
    panel.plot.set_histogram(*bins(REFERENCE, "steps", own), "steps to flip", ((), ()), whole=True)
    panel.plot.set_mark(own)
    settle()
    assert not panel.plot.grab().isNull()


def test_no_sentence_is_cut_in_the_drawer_of_a_small_window(qtbot: QtBot, panel: HardnessPanel, session: Session, tmp_path: Path) -> None:
    until(lambda: session.hardness.mark is not None, "the mark")
    panel.data.add_folder(grey_folder(tmp_path, 12, 16))
    panel.run()
    until(lambda: not session.hardness.runner.running, "the end")
    for width in (626, 260 + 36, 900):
        panel.resize(width, 170)
        settle()
        assert panel.rank.text
        for sentence in (panel.verdict, panel.rank):
            assert not sentence.cut, (width, sentence.text)
