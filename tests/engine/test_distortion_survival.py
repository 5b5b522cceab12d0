"""Adversarial images under real-life distortions: identity, counts, undefined rates, steps, other models, sheet and slider."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import engine
from engine import attacks
from engine.artifacts import Curve, Table
from engine.errors import BadParameters
from engine.evaluate.distortion import KINDS, DistortionStep, DistortionSurvival, moment, read, sheet_of
from engine.evaluate.distortion.counting import FEW
from engine.images import camera
from engine.intervals import wilson

Run = Callable[..., tuple[int, str, str]]
SHAPE = (3, 8, 8)
ALL_AT_NOTHING = ", ".join(f"{kind.slug}={kind.nothing}" for kind in KINDS.values() if kind.nothing is not None)


class Bright(nn.Module):
    """Three classes by the mean of all values: below 0.4, between, above 0.6."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3))
        return torch.stack([40 * (0.4 - mean), 0 * mean, 40 * (mean - 0.6)], dim=1)


def bright(name: str = "bright", labels: tuple[str, ...] = ("dark", "middle", "bright")) -> engine.Classifier:
    return engine.Classifier(Bright(), list(labels), SHAPE, name=name, device="cpu")


def plain(*means: float) -> Tensor:
    return torch.stack([torch.full(SHAPE, mean) for mean in means])


def survive(clean: Tensor, adversarial: Tensor, labels: list[int], distortions: str, **further: object) -> engine.Result:
    operation = DistortionSurvival(distortions=distortions)
    return engine.run(operation, bright(), clean, torch.tensor(labels), start=adversarial, **further)  # type: ignore[arg-type]


def rows_of(result: engine.Result) -> list[dict[str, object]]:
    table = result.artifacts["survival"]
    assert isinstance(table, Table)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def photographs(count: int = 3, side: int = 16) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(2))


# ---------------------------------------------------------------- distortions


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.nothing is not None], ids=lambda kind: kind.slug)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_strength_that_changes_nothing_returns_the_bits(kind, channels: int) -> None:  # type: ignore[no-untyped-def]
    images = photographs()[:, :channels]
    assert torch.equal(kind(images, kind.nothing, lambda: torch.randn_like(images)), images)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.slug)
def test_every_kind_changes_more_at_every_further_strength_and_stays_in_range(kind) -> None:  # type: ignore[no-untyped-def]
    sample = Path(__file__).parents[2] / "resources/samples/sign-yield-32.png"
    images = torch.from_numpy(np.asarray(Image.open(sample).convert("RGB"), dtype=np.float32) / 255).permute(2, 0, 1)[None]
    normal = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    changes = []
    for strength in kind.strengths:
        made = kind(images, strength, lambda: normal)
        assert made.shape == images.shape
        assert 0 <= float(made.min()) <= float(made.max()) <= 1
        changes.append(float((made - images).abs().mean()))
    assert changes == sorted(changes)
    assert changes[-1] > changes[0]
    assert all(kind.low <= strength <= kind.high for strength in kind.strengths)


def test_jpeg_is_that_of_a_file() -> None:
    images = photographs(2, 19)
    for quality in (90, 30):
        made = KINDS["jpeg"](images, quality, lambda: images)
        for image, again in zip(images, made, strict=True):
            stream = io.BytesIO()
            Image.fromarray((image.permute(1, 2, 0) * 255).round().byte().numpy()).save(stream, "JPEG", quality=quality)
            told = torch.from_numpy(np.asarray(Image.open(stream), dtype=np.float32) / 255).permute(2, 0, 1)
            torch.testing.assert_close(again, told, rtol=0, atol=1.01 / 255)


def test_levels_and_distance_are_what_they_say() -> None:
    images = photographs(1, 32)
    assert len(KINDS["bits"](images, 3, lambda: images).unique()) == 8
    assert torch.equal(KINDS["bits"](images, 8, lambda: images), (images * 255).round() / 255)
    tiles = torch.rand(1, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    far = camera.rescaled(tiles, 4 / 32)
    assert float((far - tiles).abs().mean()) < float((far - images).abs().mean())
    flat = torch.full((1, 3, 32, 20), 0.37)
    torch.testing.assert_close(camera.rescaled(flat, 0.3), flat)
    assert torch.equal(camera.rescaled(images, 0.99), images)  # 31.68 rows are 32


def test_the_camera_keeps_a_grey_middle_and_darkens_the_corners() -> None:
    made = camera.photographed(torch.full((1, 3, 33, 33), 0.8), 1.0)
    middle, corner = float(made[0, 0, 16, 16]), float(made[0, 0, 0, 0])
    assert middle == pytest.approx(0.8**1.4, abs=0.01)
    assert corner < 0.3 * middle
    torch.testing.assert_close(made * 255, (made * 255).round(), rtol=0, atol=1e-4)  # on 8 bits


def test_distortions_are_read_with_their_strengths() -> None:
    assert read("all") == tuple(KINDS.values())
    blur, jpeg = read("blur, jpeg=80 40")
    assert blur == KINDS["blur"]
    assert jpeg.strengths == (80, 40)
    for text, sentence in {
        "blurr": "Did you mean blur?",
        "zzz": "There are: brighter",
        "blur, blur=1": "named twice",
        "jpeg=0": "JPEG at 0 makes no sense. Choose between 1 and 100",
        "noise=lots": "no number|not a number",
        " , ": "No distortion is named",
    }.items():
        with pytest.raises(BadParameters, match=sentence) as caught:
            DistortionSurvival(distortions=text)
        assert list(caught.value.problems) == ["distortions"]


# ---------------------------------------------------------------- counts


def test_the_identity_undoes_nothing(small: engine.Classifier, images: Tensor) -> None:
    labels = small.predict(images.float())
    attacked = engine.run(attacks.PGD(eps=0.2, steps=20), small, images.float(), labels).adversarial
    assert bool((small.predict(attacked) != labels).any())
    result = engine.run(DistortionSurvival(distortions=ALL_AT_NOTHING), small, images.float(), labels, start=attacked)
    for row in rows_of(result):
        assert row["destruction rate"] == 0.0
        assert row["undone"] == 0
        assert row["clean accuracy"] == 1.0


def test_the_rate_is_the_formula_by_hand() -> None:
    """Fooled are rows 0 to 3; darker by 0.1 takes two of them back; row 4 was misread before, row 5 was not fooled."""
    clean = plain(0.52, 0.52, 0.56, 0.52, 0.3, 0.52)
    adversarial = plain(0.65, 0.69, 0.75, 0.8, 0.5, 0.55)
    result = survive(clean, adversarial, [1] * 6, "darker=0.1 0.02, brighter=0.05")
    as_it_is, darker, hardly, brighter = rows_of(result)
    assert (as_it_is["undone"], as_it_is["adversarial"], as_it_is["destruction rate"]) == (0, 4, 0.0)
    assert (darker["undone"], darker["adversarial"], darker["destruction rate"]) == (2, 4, 0.5)
    assert (darker["low"], darker["high"]) == wilson(2, 4)
    assert (hardly["undone"], brighter["undone"]) == (0, 0)
    assert as_it_is["clean accuracy"] == pytest.approx(5 / 6)
    assert darker["clean accuracy"] == pytest.approx(5 / 6)  # 0.52 becomes 0.42
    assert brighter["clean accuracy"] == pytest.approx(4 / 6)  # 0.56 becomes 0.61, which is bright
    assert darker["note"] == f"fewer than {FEW} images"
    curve = result.artifacts["rates"]
    assert isinstance(curve, Curve)
    torch.testing.assert_close(curve.lines["Darker"], torch.tensor([0, 0.5, 0], dtype=torch.float64))
    assert curve.lines["Brighter"][:2].tolist() == [0, 0]
    assert bool(curve.lines["Brighter"][2].isnan())
    verdicts = {
        (row[0], row[1], row[2]): row[-1]
        for row in result.artifacts["predictions"].rows  # type: ignore[union-attr]
    }
    assert verdicts[0, "Darker", "−0.1"] == "undone"
    assert verdicts[2, "Darker", "−0.1"] == "still wrong"
    assert verdicts[2, "Brighter", "+0.05"] == "the clean image is wrong, too"
    assert verdicts[4, "Darker", "−0.1"] == "misread before the attack"
    assert verdicts[5, "Darker", "−0.1"] == "not adversarial"


def test_where_nothing_is_adversarial_the_rate_is_undefined_and_shown_as_a_dash() -> None:
    clean = plain(0.5, 0.5)  # constant images, which no attack has changed
    result = survive(clean, clean, [1, 1], "blur, darker")
    assert all(row["destruction rate"] is None and row["adversarial"] == 0 for row in rows_of(result))
    assert all(bool(line.isnan().all()) for line in result.artifacts["rates"].lines.values())  # type: ignore[union-attr]
    with engine.start(DistortionSurvival(distortions="blur"), bright(), clean, torch.tensor([1, 1]), start=clean) as run:
        last = list(run)[-1]
    assert isinstance(last, DistortionStep)
    assert "No image is adversarial, so no rate is defined." in DistortionSurvival().sentences(last)
    from engine.evaluate.distortion.counting import destruction_rate
    from engine.figures.contact_sheet import _rate_cell

    assert last.undistorted is not None
    nothing = destruction_rate(torch.tensor([False]), torch.tensor([True]))
    assert nothing.text() == "–"
    assert _rate_cell(last.undistorted, nothing).text == "–"


def test_a_model_that_gives_no_numbers_is_never_right() -> None:
    class Sometimes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            mean = x.mean((1, 2, 3), keepdim=False)
            logits = torch.stack([2 - 2 * mean, 2 * mean], 1)
            return torch.where((mean > 0.9)[:, None], torch.full_like(logits, torch.nan), logits)

    classifier = engine.Classifier(Sometimes(), ["dark", "bright"], SHAPE, device="cpu")
    result = engine.run(
        DistortionSurvival(distortions="brighter=0.3"), classifier, plain(0.3, 0.3), torch.tensor([0, 0]), start=plain(0.7, 0.8)
    )
    assert rows_of(result)[1]["undone"] == 0
    assert result.artifacts["predictions"].rows[1][5] == "no number"  # type: ignore[union-attr]


# ---------------------------------------------------------------- the run


def test_it_attacks_first_and_goes_on_in_short_steps(small: engine.Classifier, images: Tensor) -> None:
    attack = attacks.PGD(eps=0.2, steps=8)
    operation = DistortionSurvival.of(attack, distortions="blur, noise, jpeg=50")
    labels = small.predict(images.float())
    with engine.start(operation, small, images.float(), labels, seed=3) as run:
        steps = [step for step in run if isinstance(step, DistortionStep)]
        result = run.result()
    shares = [step.share_done for step in steps]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert shares[-1] == 1
    assert steps[0].news.startswith("PGD on 6 images")
    own = engine.run(attack, small, images.float(), labels, seed=3)
    assert steps[-1].adversarial is not None
    assert torch.equal(steps[-1].adversarial, own.adversarial)
    assert len(steps[-1].seen) == 5 + 5 + 1
    assert result.forwards == own.forwards + 2 * len(images) * (1 + 11)
    assert result.backwards == own.backwards


def test_it_can_be_cancelled_after_any_step(small: engine.Classifier, images: Tensor) -> None:
    operation = DistortionSurvival.of(attacks.PGD(eps=0.2, steps=3), distortions="blur=1 2, noise")
    labels = small.predict(images.float())
    with engine.start(operation, small, images.float(), labels) as run:
        total = len(list(run))
    for pulls in range(1, total):
        with engine.start(operation, small, images.float(), labels) as run:
            steps = list(itertools.islice(run, pulls))
        result = run.result()
        assert result.reason == "cancelled"
        last = steps[-1]
        assert isinstance(last, DistortionStep)
        if last.undistorted is None:
            assert dict(result.artifacts) == {}
            assert operation.sentences(last) == ["The attack has not ended, so nothing was distorted."]
        else:
            assert len(rows_of(result)) == 1 + len(last.seen)


def test_a_batch_equals_its_first_image_alone_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, adversarial = photographs(5, 8), photographs(10, 8)[5:]
    table = survive(clean, adversarial, [1] * 5, "all").artifacts["predictions"]
    alone = survive(clean[:1], adversarial[:1], [1], "all").artifacts["predictions"]
    assert isinstance(table, Table)
    assert isinstance(alone, Table)
    first = [row[1:] for row in table.rows if row[0] == 0]
    for one, other in zip(first, alone.rows, strict=True):
        assert one[:3] == other[:3]
        assert one[3] == pytest.approx(other[3], abs=1e-5)
        assert one[4:5] == other[4:5]
    monkeypatch.setattr("engine.evaluate.distortion.looking.rows_per_pass", lambda images: 4)
    chunked = survive(clean, adversarial, [1] * 5, "all").artifacts["predictions"]
    assert isinstance(chunked, Table)
    assert [(row[0], row[3], row[5]) for row in chunked.rows] == [(row[0], row[3], row[5]) for row in table.rows]


def test_other_models_read_the_images_or_say_why_not() -> None:
    clean, adversarial = plain(0.5, 0.5, 0.5), plain(0.65, 0.65, 0.45)
    turned = engine.Classifier(nn.Sequential(Bright(), _Turned()), ["bright", "middle", "dark"], SHAPE, name="turned", device="cpu")
    strangers = bright("strangers", ("cat", "dog", "fish"))
    grey = engine.Classifier(
        nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), ["dark", "middle", "bright"], (1, 8, 8), name="grey", device="cpu"
    )
    with engine.start(
        DistortionSurvival(distortions="darker=0.1"),
        bright(),
        clean,
        torch.tensor([1, 1, 1]),
        start=adversarial,
        models=(turned, strangers, grey),
    ) as run:
        last = list(run)[-1]
        result = run.result()
    assert isinstance(last, DistortionStep)
    assert [each.title for each in last.seen] == ["Darker", "Read by turned"]
    assert last.left_out == (
        "“strangers” is left out: it has other classes.",
        "“grey” is left out: it takes images of other channels.",
    )
    own = rows_of(result)[-1]
    assert (own["undone"], own["adversarial"]) == (0, 2)
    assert result.artifacts["predictions"].rows[2][5] == "bright"  # type: ignore[union-attr]


class _Turned(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)


def test_a_data_set_is_attacked_by_its_own_labels() -> None:
    pixels = (plain(0.5, 0.3, 0.7) * 255).byte()
    data = engine.data.DataSet("set", ("dark", "middle", "bright"), pixels, torch.tensor([1, 0, 2]), "drawn here")
    operation = DistortionSurvival.of(attacks.FGSM(eps=0.2), distortions="darker=0.15")
    result = engine.run(operation, bright(), data=data)
    assert rows_of(result)[0]["images"] == 3
    assert rows_of(result)[0]["adversarial"] == 3


def test_adversarial_images_and_a_data_set_are_one_too_many() -> None:
    data = engine.data.DataSet("set", ("dark", "middle", "bright"), (plain(0.5) * 255).byte(), torch.tensor([1]), "drawn here")
    with pytest.raises(engine.GibbonError, match="Leave one of them out"):
        engine.run(DistortionSurvival(), bright(), plain(0.5), torch.tensor([1]), start=plain(0.7), data=data)


# ---------------------------------------------------------------- slider and sheet


def test_the_slider_shows_what_the_run_counts(small: engine.Classifier, images: Tensor) -> None:
    clean = images.float()[:1]
    adversarial = engine.run(attacks.PGD(eps=0.2, steps=5), small, clean).adversarial
    result = engine.run(DistortionSurvival(), small, clean, start=adversarial, seed=4)
    table = result.artifacts["predictions"]
    assert isinstance(table, Table)
    told = iter(table.rows[1:])
    for kind in KINDS.values():
        for strength in kind.strengths:
            now, row = moment(small, clean[0], adversarial[0], kind.slug, strength, seed=4), next(told)
            assert row[0] == kind.title
            for name, probability, logits in ((row[2], row[3], now.clean_logits), (row[4], row[5], now.adversarial_logits)):
                assert small.labels[int(logits.argmax())] == name
                assert float(logits.softmax(0).max()) == pytest.approx(probability, abs=1e-4)
    with pytest.raises(engine.GibbonError, match="Did you mean noise"):
        moment(small, clean[0], adversarial[0], "noisy", 0.1)
    with pytest.raises(engine.GibbonError, match="makes no sense"):
        moment(small, clean[0], adversarial[0], "blur", -1)


def test_noise_grows_in_one_direction() -> None:
    clean = torch.full(SHAPE, 0.5)
    first, second = (moment(bright(), clean, clean, "noise", sigma, seed=1) for sigma in (0.02, 0.04))
    torch.testing.assert_close(second.clean - clean, 2 * (first.clean - clean), rtol=0, atol=1e-6)
    assert torch.equal(first.clean, first.adversarial)


def test_the_sheet_shows_the_pictures_that_were_read(small: engine.Classifier, images: Tensor) -> None:
    labels = small.predict(images.float())
    operation = DistortionSurvival.of(attacks.PGD(eps=0.2, steps=10), distortions="blur=1 2, noise=0.1")
    with engine.start(operation, small, images.float(), labels, seed=2) as run:
        last = list(run)[-1]
    assert isinstance(last, DistortionStep)
    sheet = sheet_of(operation, last, 2)
    assert sheet is not None
    assert last.adversarial is not None
    assert [(title, len(cells)) for title, cells in sheet.rows] == [("Blur", 2), ("Added noise", 1)]
    for _, cells in sheet.rows:
        for cell in cells:
            seen = small(cell.image[None])
            assert small.labels[int(seen.argmax())] == cell.name
            assert float(seen.softmax(1).max()) == pytest.approx(cell.probability, abs=1e-4)
            assert cell.undone == (cell.name == sheet.label)
    assert sheet.clean.name == sheet.label != sheet.adversarial.name


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
@pytest.mark.parametrize("count", [1, 6])
def test_the_figure_is_written_with_its_provenance(kind: str, count: int, small: engine.Classifier, images: Tensor, tmp_path: Path) -> None:
    from engine.figures import contact_sheet, export, rates_figure
    from engine.record import distortion_record

    operation = DistortionSurvival.of(attacks.PGD(eps=0.2, steps=5), distortions="blur=1 2, jpeg=50")
    with engine.start(operation, small, images.float()[:count]) as run:
        last = list(run)[-1]
        result = run.result()
    assert isinstance(last, DistortionStep)
    record = distortion_record(result, last, {"image": "x.png"})
    drawn_by = contact_sheet(result, last) if count == 1 else rates_figure(result, last)
    file, sidecar = export(drawn_by, tmp_path / f"sheet.{kind}", record)
    assert json.loads(sidecar.read_text(encoding="utf-8"))["format"] == "gibbon-distortion"
    if kind == "svg":
        drawn = file.read_text(encoding="utf-8")
        assert "Blur" in drawn
        assert "quality 50" in drawn
        assert ("Destruction rate by" in drawn) == (count > 1)
    assert file.stat().st_size > 5_000


@pytest.mark.slow
@pytest.mark.data
def test_iterated_images_are_undone_by_blur_and_noise_more_often_than_those_of_one_step() -> None:
    """Kurakin et al. 2016: fast < basic iterative < iterative towards the least likely class, as a mean over the strengths."""
    classifier = engine.models.load("signs")
    data = engine.data.load("gtsrb", "test", count=300)
    steps = {"eps": 4 / 255, "steps": None, "step_size": 1 / 255, "random_start": False}
    made = {
        "fast": attacks.FGSM(eps=4 / 255),
        "basic": attacks.PGD.build(**steps),
        "least likely": attacks.PGD.build(towards="least likely", **steps),
    }
    rates: dict[str, list[float]] = {}
    for name, attack in made.items():
        operation = DistortionSurvival.of(attack, distortions="blur=0.4 0.6 0.8 1.2, noise=0.02 0.05 0.1 0.15")
        rows = rows_of(engine.run(operation, classifier, data=data))
        rates[name] = [
            sum(float(str(row["destruction rate"])) for row in rows if row["distortion"] == kind) for kind in ("Blur", "Added noise")
        ]
    for place in range(2):
        assert rates["fast"][place] < rates["basic"][place] < rates["least likely"][place]
