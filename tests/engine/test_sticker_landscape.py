"""The landscape of a sticker: every value against the sticker painted there by the canvas."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, resources
from engine.artifacts import Curve, Map, Table
from engine.attacks.sticker_search.landscape import LandscapeStep
from engine.errors import GibbonError
from engine.figures import landscape_figure
from engine.stickers import Colour, Content, Shadow, Sticker, coverage, paint
from tests.engine.test_sticker_search import found, signs


def landscape(result: engine.AttackResult) -> Tensor:
    made = result.artifacts["landscape"]
    assert isinstance(made, Map)
    return made.values


def test_each_pixel_shows_the_sticker_whose_middle_is_there() -> None:
    """A sticker of 5 x 7 pixels, whose middle is the middle of a pixel."""
    classifier, images, labels = signs()
    result = engine.run(attacks.StickerLandscape(width=5, height=7, colour="white"), classifier, images[:2], labels[:2])
    assert result.forwards == 2 * (28 * 26 + 1)
    for image in range(2):
        values = landscape(result)[image]
        painted = [paint(images[image], [Sticker(1, x - 2, y - 3, 5, 7, Colour((1.0, 1.0, 1.0)))]) for x, y in ((2, 3), (15, 20), (29, 28))]
        expected = 1 - classifier(torch.stack(painted)).softmax(1)[:, labels[image]]
        torch.testing.assert_close(torch.stack([values[3, 2], values[20, 15], values[28, 29]]), expected, atol=1e-5, rtol=0)
        outside = torch.ones(32, 32, dtype=torch.bool)
        outside[3:29, 2:30] = False
        assert torch.equal(values.isnan(), outside)


@pytest.mark.parametrize("content", [Colour((0.0, 0.0, 0.0)), Shadow(0.2, 2.0)])
@pytest.mark.parametrize("shows", ["probability", "margin", "success"])
def test_the_table_says_what_the_classifier_says_of_each_place(content: Content, shows: str) -> None:
    classifier, images, labels = signs()
    kind = "colour" if isinstance(content, Colour) else "shadow"
    attack = attacks.StickerLandscape.build(width=8, height=6, content=kind, kappa=0.2, blur=2, stride=6, sizes=2, angles=3, shows=shows)
    result = engine.run(attack, classifier, images[:1], labels[:1])
    table = result.artifacts["places"]
    assert isinstance(table, Table)
    stickers = [Sticker(1, x, y, width, height, content, angle=angle) for _image, x, y, width, height, angle, *_rest in table.rows]
    logits = classifier(torch.stack([paint(images[0], [sticker]) for sticker in stickers]))
    others = logits.clone()
    others[:, labels[0]] = -torch.inf
    margins = others.amax(1) - logits[:, labels[0]]
    assert [row[7] for row in table.rows] == pytest.approx(margins.tolist(), abs=1e-3)
    assert [row[6] for row in table.rows] == pytest.approx((1 - logits.softmax(1)[:, labels[0]]).tolist(), abs=1e-3)
    assert len({row[5] for row in table.rows}) == 3
    assert {row[3] for row in table.rows} == {4, 16}
    values = landscape(result)
    best = {"probability": max(row[6] for row in table.rows), "margin": table.rows[0][7], "success": float(table.rows[0][7] > 0)}[shows]
    assert float(values.nan_to_num(nan=-math.inf).max()) == pytest.approx(best, abs=1e-6)
    assert float(result.loss) == pytest.approx(table.rows[0][7], abs=1e-3)
    assert torch.equal(paint(images[0], found(result).stickers[0]), result.adversarial[0])
    by_angle = result.artifacts["by angle"]
    assert isinstance(by_angle, Curve)
    assert by_angle.x.tolist() == [0, 60, -60]


def test_a_coarse_map_of_the_whole_image_comes_first() -> None:
    """After the first step no pixel within reach is left out, and every later step only refines it."""
    classifier, images, labels = signs()
    with engine.start(attacks.StickerLandscape(), classifier, images[:1], labels[:1]) as run:
        step = next(run), next(run)
        result = run.result()
        last = step[1]
        assert isinstance(last, LandscapeStep)
        known = (~last.margins.isnan()).sum()
        assert int(known) == 128
        assert int(landscape(result).isnan().sum()) == 32 * 32 - 28 * 28
        whole = [each for each in run if isinstance(each, LandscapeStep)][-1]
        same = ~last.margins.isnan()
        assert torch.equal(whole.margins[same], last.margins[same])
        assert not bool(whole.margins.isnan().any())
    everything = landscape(run.result())
    shared = landscape(result) == everything
    assert 0.1 < float(shared.float().mean()) < 0.8


def test_the_sticker_stays_on_the_region() -> None:
    classifier, images, labels = signs()
    region = torch.zeros(32, 32)
    region[5:20, 8:27], region[10:12, 15:18] = 1, 0
    result = engine.run(attacks.StickerLandscape(width=4, height=4, angles=2), classifier, images[:1], labels[:1], mask=region)
    table = result.artifacts["places"]
    assert isinstance(table, Table)
    for _image, x, y, width, height, angle, *_rest in table.rows:
        covered = coverage(Sticker(1, x, y, width, height, angle=angle), 32, 32)[0] > 0
        assert bool((region[covered] == 1).all())
    upright = sum(bool((region[y : y + 4, x : x + 4] == 1).all()) for x in range(29) for y in range(29))
    assert sum(row[5] == 0 for row in table.rows) == upright


def test_towards_a_target_it_is_the_targets_probability() -> None:
    classifier, images, labels = signs()
    target = (labels[:1] + 5) % 43
    result = engine.run(attacks.StickerLandscape(stride=9), classifier, images[:1], labels[:1], target)
    table = result.artifacts["places"]
    assert isinstance(table, Table)
    _image, x, y, *_rest, probability, _margin = table.rows[0]
    logits = classifier(paint(images[0], [Sticker(1, x, y, 6, 6, Colour((0.0, 0.0, 0.0)))])[None])
    assert probability == pytest.approx(float(logits.softmax(1)[0, target]), abs=1e-4)


def test_the_command_line_writes_the_figure_and_the_places(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    image = resources.folder() / "samples" / "sign-stop-32.png"
    code, _, err = run("attack", "--image", image, "--attack", "sticker-landscape", "--stride", 6, "--shows", "margin", "--out", tmp_path)
    assert code == 0, err
    stem = "sign-stop-32-sticker-landscape"
    rows = list(csv.DictReader((tmp_path / f"{stem}.csv").open(encoding="utf-8")))
    assert len(rows) == 25
    assert [float(row["margin"]) for row in rows] == sorted((float(row["margin"]) for row in rows), reverse=True)
    assert (tmp_path / f"{stem}.map.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / f"{stem}.map.pdf.json").is_file()


def test_a_figure_of_another_attack_is_refused_and_a_cancelled_one_is_drawn() -> None:
    classifier, images, labels = signs()
    with pytest.raises(GibbonError, match="Square has made no landscape"):
        landscape_figure(engine.run(attacks.Square(n_queries=2), classifier, images[:1], labels[:1]))
    with engine.start(attacks.StickerLandscape(), classifier, images[:2], labels[:2]) as run:
        next(run), next(run)
    figure = landscape_figure(run.result(), row=1, width_mm=120)
    assert figure.get_figwidth() * 25.4 == pytest.approx(120)


def test_bad_input_is_a_sentence() -> None:
    classifier, images, labels = signs()
    with pytest.raises(GibbonError, match="40 × 6 pixels is larger than the image of 32 × 32"):
        engine.run(attacks.StickerLandscape(width=40), classifier, images[:1], labels[:1])
    small = torch.zeros(32, 32)
    small[:4, :4] = 1
    with pytest.raises(GibbonError, match="6 × 6 pixels does not fit into the region"):
        engine.run(attacks.StickerLandscape(), classifier, images[:1], labels[:1], mask=small)
    with pytest.raises(GibbonError, match="more than the 100 passes that are allowed"):
        engine.run(attacks.StickerLandscape(at_most=100), classifier, images[:1], labels[:1])
