"""Animations: frames pixel for pixel, times, provenance that comes back, limits said before the work starts, and no half files."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from engine import attacks
from engine.figures.animation import AnimationPlan, Film, Progress, Stage, export_animation, film_of, write_animation
from engine.figures.animation.encoders import common_palette, nearest_in
from engine.figures.animation.plan import check_bytes
from engine.figures.animation.video import video_is_there
from engine.figures.animation.writing import AnimationCancelled
from engine.record import Record, carried
from engine.timeline import Timeline
from tests.engine.conftest import small_network

NAMES = ["Stop", "A very long name of a class that no column is wide enough for", "<b>&", "Yield", "No entry"]
SMALL = AnimationPlan(width_px=400, hold_flip=0.5, hold_end=1.0)


@pytest.fixture(scope="module")
def run() -> tuple[engine.AttackResult, Timeline]:
    classifier = engine.Classifier(small_network(), NAMES, (3, 8, 8), name="small", device="cpu")
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    kept = Timeline()
    with engine.start(attacks.PGD(eps=0.3, steps=8), classifier, images, record=kept) as going:
        for _ in going:
            pass
        going.close()
        result = going.result()
    assert isinstance(result, engine.AttackResult)
    return result, kept


@pytest.fixture(scope="module")
def film(run: tuple[engine.AttackResult, Timeline]) -> Film:
    return film_of(*run)


@pytest.fixture(scope="module")
def stage(film: Film) -> Stage:
    return Stage(film, SMALL, "A note.")


def read(path: Path) -> tuple[list[np.ndarray], list[int]]:
    """Every frame as RGB with its time, in milliseconds."""
    frames, times = [], []
    with Image.open(path) as image:
        for place in range(getattr(image, "n_frames", 1)):
            image.seek(place)
            image.load()
            frames.append(np.asarray(image.convert("RGB")))
            times.append(round(image.info.get("duration", 0)))
    return frames, times


def test_a_film_is_the_timeline(run: tuple[engine.AttackResult, Timeline], film: Film) -> None:
    result, kept = run
    assert [shot.index for shot in film.shots] == [step.index for step in kept.steps] == list(range(9))
    assert np.array_equal(film.shots[4].image, kept.steps[4].adversarial[0].numpy())
    assert film.flip == int(result.steps_to_flip[0])
    assert film.label_assumed
    with pytest.raises(engine.GibbonError, match="kept no iterates"):
        film_of(result, None)


@pytest.mark.parametrize("suffix", ["apng", "webp"])
def test_formats_without_loss_give_back_every_pixel(film: Film, stage: Stage, tmp_path: Path, suffix: str) -> None:
    path = write_animation(film, SMALL, tmp_path / f"a.{suffix}", "{}", note="A note.")
    frames, times = read(path)
    assert len(frames) == len(stage.shots)
    for place, frame in enumerate(frames):
        assert np.array_equal(frame, stage.frame(place)), place
    if suffix == "apng":
        assert times == stage.durations()


def test_a_gif_keeps_the_page_exactly_and_the_rest_nearly(film: Film, stage: Stage, tmp_path: Path) -> None:
    frames, times = read(write_animation(film, SMALL, tmp_path / "a.gif", "{}", note="A note."))
    assert times == stage.durations()
    assert max(times) == 1000
    for place, frame in enumerate(frames):
        wanted = stage.frame(place)
        error = np.abs(frame.astype(int) - wanted.astype(int))
        assert error.mean() < 3
        paper = (wanted == 255).all(2)
        assert (frame[paper] == 255).all()  # no noise on flat areas
    assert Image.open(tmp_path / "a.gif").info["loop"] == 0
    once = write_animation(film, SMALL.model_copy(update={"loop": False}), tmp_path / "b.gif")
    assert "loop" not in Image.open(once).info


def test_what_stands_still_does_not_flicker(film: Film, stage: Stage) -> None:
    frames = np.stack([stage.frame(place) for place in range(len(stage.shots))])
    still = (frames == frames[0]).all((0, 3))
    assert still.mean() > 0.5
    assert not still.all()
    clean = Stage(film, SMALL.model_copy(update={"panels": ("clean",)}))
    assert all(np.array_equal(clean.frame(0), clean.frame(place)) for place in range(len(clean.shots)))
    again = stage.frame(3)
    assert np.array_equal(frames[3], again)  # a frame does not depend on the one before


def test_the_picture_of_a_frame_is_the_iterate(film: Film) -> None:
    stage = Stage(film, SMALL.model_copy(update={"panels": ("adversarial",)}))
    for place in (0, 5):
        colours = {tuple(pixel) for pixel in stage.frame(place).reshape(-1, 3).tolist()}
        wanted = (film.shots[place].image * 255).round().astype(int).transpose(1, 2, 0).reshape(-1, 3).tolist()
        assert all(tuple(pixel) in colours for pixel in wanted)


def test_scales_are_common_to_all_frames(film: Film) -> None:
    largest = max(float(np.abs(shot.image - film.clean).max()) for shot in film.shots)
    stage = Stage(film, SMALL.model_copy(update={"panels": ("perturbation",)}))
    assert stage._limit == pytest.approx(largest)
    texts = {text.get_text() for text in stage._page.figure.texts}
    assert any(text.startswith("+") for text in texts)


@pytest.mark.parametrize("view", ["strongest", "mean", "channels", "colour"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_and_theme_gives_frames(film: Film, view: str, dark: bool) -> None:
    plan = AnimationPlan.model_validate({"view": view, "dark": dark, "width_px": 480, "font": "serif"})
    stage = Stage(film, plan)
    assert all(side % 2 == 0 for side in stage.size)
    assert abs(stage.size[0] - 480) <= 2
    assert stage.frame(0).shape == (stage.size[1], stage.size[0], 3)


def test_steps_are_left_out_but_never_the_flip_and_the_ends(film: Film) -> None:
    for every in (1, 3, 50):
        chosen = [shot.index for shot in film.chosen(SMALL.model_copy(update={"every": every}))]
        assert chosen[0] == 0
        assert chosen[-1] == 8
        assert film.flip in chosen
        assert len(chosen) <= -(-9 // every) + 2


@pytest.mark.parametrize(
    "suffix", ["gif", "apng", "webp", pytest.param("mp4", marks=pytest.mark.skipif(not video_is_there(), reason="needs PyAV"))]
)
def test_provenance_comes_back_from_the_file(film: Film, tmp_path: Path, suffix: str) -> None:
    said = {"format": "x", "label": "(“é”\\) <b>&amp; %", "long": ["y" * 600_000], "figure": {"animation": SMALL.model_dump(mode="json")}}
    path, sidecar = export_animation(film, SMALL, tmp_path / f"a.{suffix}", said)
    assert json.loads(sidecar.read_text("utf-8")) == said
    assert carried(path) == said  # completed by the sidecar
    sidecar.unlink()
    with pytest.raises(engine.GibbonError, match="without the pixels"):
        carried(path)


@pytest.mark.skipif(not video_is_there(), reason="needs PyAV")
def test_a_video_has_the_frames_and_their_time(film: Film, stage: Stage, tmp_path: Path) -> None:
    from importlib import import_module

    path = write_animation(film, SMALL, tmp_path / "a.mp4", "{}", note="A note.")
    with import_module("av").open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert float(container.duration) / 1e6 == pytest.approx(sum(stage.durations()) / 1000, abs=0.2)
    assert len(frames) == len(stage.shots) + 1
    assert np.abs(frames[4].astype(int) - stage.frame(4).astype(int)).mean() < 6


@pytest.mark.skipif(video_is_there(), reason="PyAV is here")
def test_without_the_optional_part_a_sentence_says_how_to_get_it(film: Film, tmp_path: Path) -> None:
    with pytest.raises(engine.GibbonError, match="pip install av"):
        write_animation(film, SMALL, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_too_many_frames_are_refused_at_once(film: Film, tmp_path: Path) -> None:
    many = replace(film, shots=tuple(replace(film.shots[0], index=index) for index in range(10_000)))
    begun = time.thread_time()
    with pytest.raises(engine.GibbonError, match=r"10,000 frames is too long.*Show every 4th step"):
        write_animation(many, SMALL, tmp_path / "a.gif")
    assert time.thread_time() - begun < 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(engine.GibbonError, match=r"about 1,000 MB; the limit is 256 MB"):
        check_bytes(1e9, "gif")


@pytest.mark.parametrize("suffix", ["gif", "apng", "webp"])
def test_a_cancelled_animation_leaves_the_old_file(film: Film, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("old")
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return len(seen) < 3

    with pytest.raises(AnimationCancelled, match="No file was written"):
        write_animation(film, SMALL, path, watch=watch)
    assert [each.done for each in seen] == [1, 2, 3]
    assert seen[-1].total == len(film.shots)
    assert seen[-1].seconds_left is not None
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_bad_choices_are_sentences(film: Film, tmp_path: Path) -> None:
    with pytest.raises(engine.GibbonError, match=r"does not end in \.gif"):
        write_animation(film, SMALL, tmp_path / "a.avi")
    with pytest.raises(engine.GibbonError, match="no moving panel “saliency”"):
        Stage(film, SMALL.model_copy(update={"panels": ("saliency",)}))
    with pytest.raises(engine.GibbonError, match="at least one panel"):
        Stage(film, SMALL.model_copy(update={"panels": ()}))
    with pytest.raises(engine.GibbonError, match="cannot be written"):
        write_animation(film, SMALL, tmp_path / "missing" / "a.gif")
    grown = Stage(replace(film, grown=True), SMALL)
    assert "Perturbation" not in {text.get_text() for text in grown._page.figure.texts}
    with pytest.raises(engine.GibbonError, match="grown from noise"):
        Stage(replace(film, grown=True), SMALL.model_copy(update={"panels": ("perturbation",)}))


def test_the_palette_has_the_colours_of_the_page_and_finds_the_nearest() -> None:
    sample = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    exact = ("#ffffff", "#0072b2", "#d55e00")
    palette = common_palette([sample], exact)
    assert palette.shape == (256, 3)
    assert [tuple(colour) for colour in palette[:3]] == [(255, 255, 255), (0, 114, 178), (213, 94, 0)]
    nearest = nearest_in(palette)
    for colour in ((255, 255, 255), (0, 114, 178), (213, 94, 0)):
        found = palette[nearest[tuple(value >> 2 for value in colour)]]
        assert tuple(found) == colour
    centre = np.array([130, 66, 34])
    by_hand = ((palette.astype(int) - centre) ** 2).sum(1).min()
    assert ((palette[nearest[tuple(centre >> 2)]].astype(int) - centre) ** 2).sum() == by_hand
    few = common_palette([np.full((4, 4, 3), 7, np.uint8)], exact)
    assert (7, 7, 7) in {tuple(colour) for colour in few}


def test_the_command_line_animates_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.cli.app import main

    monkeypatch.chdir(tmp_path)
    engine.images.write_png(tmp_path / "stop.png", engine.images.samples()[0].open().crop_to(engine.models.load("signs")))
    assert main(["attack", "--image", "stop.png", "--steps", "3", "--out", "out"], "gibbon") == 0
    record = (
        next((tmp_path / "out").glob("*-pgd.json"))
        if list((tmp_path / "out").glob("*-pgd.json"))
        else next((tmp_path / "out").glob("*.json"))
    )
    assert main(["animate", str(record), "a.gif", "--width-px", "320", "--panels", "adversarial,loss"], "gibbon") == 0
    found = carried("a.gif")
    assert found is not None
    assert found["figure"]["animation"]["panels"] == ["adversarial", "loss"]
    assert found["figure"]["same_bits"] is True
    assert Record.read("a.gif.json").seed == 0
    with Image.open("a.gif") as image:
        assert image.n_frames == 4  # type: ignore[attr-defined]
    assert main(["animate", str(record), "a.gif"], "gibbon") == 2
    assert "--overwrite" in capsys.readouterr().err
