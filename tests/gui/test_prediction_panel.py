"""The Prediction dock: bars, verdict and figures are the frame's."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from engine.attacks import CATALOGUE, PGD
from engine.text.formatting import format_probability as percent
from engine.text.formatting import short
from gui.panels.prediction import PredictionPanel
from gui.panels.prediction.verdict import similarity
from gui.plots.ranking import by_strength, stable_top
from tests.gui.panel_scenes import LABELS, attack, newest_frame, noise, open_image, put_sticker, show

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> PredictionPanel:
    made: PredictionPanel = show(qtbot, PredictionPanel(session), 320, 400)
    return made


def test_bars_show_the_probabilities_of_the_frame(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session)
    assert session.frame is not None
    seen = session.frame.observation
    shown = {row.name: (row.clean, row.adversarial) for row in panel.view.bars.rows}
    assert len(shown) == 5
    for name, pair in shown.items():
        index = LABELS.index(name)
        assert pair == (pytest.approx(float(seen.clean[index])), pytest.approx(float(seen.adversarial[index])))
    assert LABELS[seen.clean_prediction] in shown
    assert LABELS[seen.adversarial_prediction] in shown


def test_verdicts(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert session.frame is not None
    before = session.frame.observation.clean_prediction
    assert panel.view.verdict.text == LABELS[before]
    attack(qtbot, session, PGD(eps=1e-5, steps=1, random_start=False))
    assert panel.view.verdict.text == f"Still {LABELS[before]}"
    attack(qtbot, session, PGD(eps=0.3, steps=20))
    after = session.frame.observation.adversarial_prediction
    assert after != before
    assert panel.view.verdict.text == f"Flipped: {LABELS[before]} → {LABELS[after]}"
    session.set_target(after)  # for the next run: this one had none
    assert panel.view.verdict.text == f"Flipped: {LABELS[before]} → {LABELS[after]}"
    attack(qtbot, session, PGD(eps=0.3, steps=20))
    reached = f"Target reached: {LABELS[before]} → {LABELS[after]}"
    assert panel.view.verdict.text == reached
    session.set_target(before)
    assert panel.view.verdict.text == reached
    session.set_target(None)
    assert panel.view.verdict.text == reached
    session.clear_perturbation()
    session.set_label((before + 1) % len(LABELS))
    qtbot.waitUntil(lambda: panel.view.verdict.text.startswith("Wrong before any attack"))


def test_the_verdict_has_the_whole_width(panel: PredictionPanel, qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    assert panel.view.verdict.width() == panel.view.figures.width()


def test_label_and_target_are_marked_and_always_listed(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.view.count.setValue(2)
    assert session.frame is not None
    weakest = torch.argsort(session.frame.observation.clean).tolist()
    session.set_label(weakest[0])
    session.set_target(weakest[1])
    assert {row.name for row in panel.view.bars.rows if row.is_label} == {LABELS[weakest[0]]}
    assert {row.name for row in panel.view.bars.rows if row.is_target} == {LABELS[weakest[1]]}
    assert len(panel.view.bars.rows) == 2
    panel.view.count.setValue(20)
    assert {row.name for row in panel.view.bars.rows} == set(LABELS)


def test_under_a_bound_a_second_prediction_is_shown(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert not panel.view.under_bound.isVisible()
    with newest_frame(qtbot, session):
        session.set_bounds({"1": 0.05, "3": 0.05})
    assert session.frame is not None
    bounded = session.frame.observation.bounded
    assert bounded is not None
    best = int(bounded.clean.argmax())
    assert panel.view.under_bound.isVisible()
    assert f"clean {LABELS[best]} {percent(float(bounded.clean[best]))}" in panel.view.under_bound.text
    for row in panel.view.bars.rows:
        assert row.bounded_clean == pytest.approx(float(bounded.clean[LABELS.index(row.name)]))


def test_norms_and_similarity(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert [figure.name for figure in panel.view.figures.figures] == ["L0 (px)", "L1", "L2", "L∞", "SSIM"]
    assert panel.view.figures.figures[4].value == "1"
    put_sticker(qtbot, session)
    assert session.frame is not None
    seen = session.frame.observation
    assert panel.view.figures.figures[0].value == f"{seen.norms['l0']:.0f}"
    assert panel.view.figures.figures[3].remark == f"{255 * seen.norms['linf']:.3g}/255"
    qtbot.waitUntil(lambda: panel.view.figures.figures[4].value != "…")
    expected = structural_similarity(seen.clean_image.numpy(), seen.adversarial_image.numpy(), data_range=1.0, channel_axis=0)
    assert float(panel.view.figures.figures[4].value) == pytest.approx(expected, abs=5e-4)


def test_similarity_of_equal_and_tiny_images() -> None:
    assert similarity(noise(), noise()) == pytest.approx(1.0)
    assert similarity(torch.zeros(1, 5, 5), torch.zeros(1, 5, 5)) == pytest.approx(1.0)
    assert np.isnan(similarity(torch.zeros(1, 2, 2), torch.ones(1, 2, 2)))


def test_hidden_it_paints_nothing(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    panel.hide()
    rows, before = panel.view.bars.rows, panel.painted
    put_sticker(qtbot, session)
    assert panel.view.bars.rows is rows
    assert panel.painted is before
    panel.show()
    assert panel.painted is session.frame


def test_another_model_with_fewer_classes(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    import engine

    open_image(qtbot, session)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 2))
    with newest_frame(qtbot, session):
        session.set_classifier(engine.Classifier(module, ("a", "b"), (1, 16, 16), device="cpu"), noise(channels=1), {})
    assert {row.name for row in panel.view.bars.rows} == {"a", "b"}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(1, 8), st.lists(st.integers(0, 15), max_size=8))
def test_stable_top_is_a_set_of_the_right_size(scores: list[float], count: int, previous: list[int]) -> None:
    values = np.array(scores)
    rows = stable_top(previous, values, count)
    assert len(rows) == len(set(rows)) == min(count, len(scores))
    assert int(values.argmax()) in rows or max(scores) <= 1.5 * min(scores[r] for r in rows) + 0.005


def test_rows_stay_until_another_class_is_clearly_stronger() -> None:
    scores = np.array([0.9, 0.05, 0.04, 0.01])
    rows = stable_top((), scores, 3)
    assert rows == [0, 1, 2]
    assert stable_top(rows, np.array([0.1, 0.8, 0.05, 0.05]), 3) == [0, 1, 2]  # another leader: the same rows
    assert stable_top(rows, np.array([0.5, 0.4, 0.045, 0.055]), 3) == [0, 1, 2]  # a little stronger
    assert stable_top(rows, np.array([0.5, 0.3, 0.05, 0.15]), 3) == [0, 1, 3]  # clearly: it takes the weakest one's row
    assert stable_top(rows, scores, 3, always=(3,)) == [0, 1, 3]
    assert by_strength([0, 1, 3], np.array([0.1, 0.2, 0, 0.7])) == [3, 1, 0]


def test_large_norms_are_written_out() -> None:
    assert [short(value) for value in (0, 0.0314, 9.996, 692.4, 999.6, 26712.3)] == ["0", "0.0314", "10", "692", "1000", "26712"]


def test_frames_of_a_drag_keep_the_order(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    put_sticker(qtbot, session)
    order = [row.name for row in panel.view.bars.rows]
    sticker = session.stickers[0]
    for x in range(3, 7):
        with newest_frame(qtbot, session):
            session.drag_stickers((replace(sticker, x=x),))
        moved = [row.name for row in panel.view.bars.rows]
        assert [name for name in moved if name in order] == [name for name in order if name in moved]


def test_the_class_that_an_attack_chose_is_marked_as_its_target(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, CATALOGUE["fgsm"](towards="least likely"))
    (goal,) = session.history.entries[-1].result.goals.tolist()
    assert [row.name for row in panel.view.bars.rows if row.is_target] == [LABELS[goal]]
    assert "chosen" in panel.view.legend.text()
    session.set_target(goal)
    assert "chosen" not in panel.view.legend.text()
    session.set_target(None)
    session.clear_perturbation()
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.scene.delta is None)
    assert not any(row.is_target for row in panel.view.bars.rows)


def test_a_long_verdict_takes_a_second_line(qtbot: QtBot, panel: PredictionPanel, session: Session) -> None:
    open_image(qtbot, session)
    assert session.frame is not None
    session.set_label((session.frame.observation.clean_prediction + 1) % len(LABELS))
    assert panel.view.verdict.text.startswith("Wrong before any attack")
    panel.resize(1200, 400)
    one = panel.view.verdict.height()
    panel.resize(260, 400)
    assert panel.view.verdict.height() > one
    assert one < 1.5 * panel.view.verdict.fontMetrics().lineSpacing()


@pytest.mark.parametrize("width", [120, 180, 220, 250, 320, 600])
def test_numbers_never_print_over_each_other(qtbot: QtBot, width: int) -> None:
    from gui.widgets.text import NumberTile, NumberTiles

    tiles = NumberTiles()
    tiles.set_tiles(
        [NumberTile(name, value, "8/255") for name, value in zip("abcde", ("1024", "26.1", "1.53", "0.0314", "0.967"), strict=True)]
    )
    show(qtbot, tiles, width, tiles.height())
    edges = tiles.edges()
    assert edges[0] == 0
    assert edges[-1] <= width
    assert edges == sorted(edges)
    metrics = tiles.fontMetrics()
    if width >= 250:
        for (left, right), tile in zip(itertools.pairwise(edges), tiles.figures, strict=True):
            assert metrics.horizontalAdvance(tile.value) < right - left
    if width == 600:  # with room to spare, nothing moves when a value changes
        assert len({right - left for left, right in itertools.pairwise(edges)}) == 1
