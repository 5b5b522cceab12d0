"""Scripts: every attack's record as Python, run, with the same bits; what no script can say gets one sentence."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, images, record
from engine.attacks import CATALOGUE
from engine.cli import main as command
from engine.operation import Attack
from engine.record import Record
from engine.script import Recorded, as_python, runs_as_python, study_as_python, write_script
from engine.script.literals import literal
from engine.stickers import Colour, Ellipse, Optimised, Pixels, Polygon, Shadow, Sticker, compose
from tests.engine.conftest import small_network
from tests.engine.test_replays import FIRST, recorded, signs

FACTORY = """
import torch
from tests.engine.conftest import small_network
import engine

def make():
    return engine.Classifier(small_network(seed=0), [f"class {i}" for i in range(5)], (3, 8, 8), name="small")
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> engine.Classifier:
    """A small classifier from a user's own file, which a script can load again."""
    path = tmp_path_factory.mktemp("own") / "small.py"
    path.write_text(FACTORY)
    return engine.models.load(f"{path}:make", device="cpu", allow_code=True)


def outcome(script: str) -> str:
    """Run a script in this process, and return what it prints."""
    said = io.StringIO()
    threads = torch.get_num_threads()
    with contextlib.redirect_stdout(said):
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    torch.set_num_threads(threads)
    return said.getvalue()


@cache
def clean() -> Tensor:
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("attack", FIRST.values(), ids=list(FIRST))
def test_the_script_of_every_attack_gives_the_same_bits(attack: Attack, own: engine.Classifier) -> None:
    _, entry = recorded(attack, own)
    assert "the recorded bits: True" in outcome(as_python(entry))


def test_a_default_attack_is_written_without_its_defaults() -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.FGSM(), classifier, image[None]), image=record.image_entry(image))
    assert "attack = attacks.FGSM()" in as_python(entry)


def test_every_parameter_that_is_not_the_default_is_written() -> None:
    classifier, image = signs()
    attack = attacks.PGD(norm="l2", eps=0.75, steps=3, loss="margin", restarts=2)
    script = as_python(record.record_of(engine.run(attack, classifier, image[None]), image=record.image_entry(image)))
    written = next(line for line in script.splitlines() if line.startswith("attack = "))
    assert sorted(written[len("attack = attacks.PGD(") : -1].split(", ")) == [
        "eps=0.75",
        'loss="margin"',
        'norm="l2"',
        "restarts=2",
        "steps=3",
    ]


def test_a_photograph_is_read_from_its_file_with_its_crop(tmp_path: Path) -> None:
    classifier, _ = signs()
    path = images.write_png(tmp_path / "photo “x”.png", torch.rand(3, 50, 70, generator=torch.Generator().manual_seed(1)))
    photograph, crop = images.open_image(path), images.Crop(3, 4, 40, 40)
    image = photograph.crop_to(classifier, crop)
    result = engine.run(attacks.FGSM(eps=8 / 255), classifier, image[None], labels=torch.tensor([3]), targets=torch.tensor([7]))
    entry = record.record_of(result, image=record.image_entry(image, photograph, crop, tmp_path / "deep"), folder=tmp_path / "deep")
    (tmp_path / "deep").mkdir()
    script = as_python(entry, tmp_path / "deep")
    assert "crop=(3, 4, 40, 40)" in script
    assert "eps=8 / 255" not in script.replace("attacks.FGSM(eps=8 / 255)", "")
    assert "the recorded bits: True" in outcome(script)


def test_a_bound_and_another_size_are_derived_again() -> None:
    classifier, _ = signs()
    other = classifier.derive(size=(40, 48), bounds={classifier.sites[0].name: 1.5})
    image = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(3))
    entry = record.record_of(engine.run(attacks.FGSM(), other, image[None]), image=record.image_entry(image))
    assert "the recorded bits: True" in outcome(as_python(entry))


@pytest.mark.parametrize("begin", ["grey", "current"])
def test_stickers_of_every_kind_are_made_again(begin: str) -> None:
    classifier, image = signs()
    picture = torch.rand(3, 5, 6, generator=torch.Generator().manual_seed(5))
    stickers = (
        Sticker(1, 2, 3, 9, 8, Colour((1.0, 0.85, 0.0)), opacity=0.5, name="under"),
        Sticker(2, 12, 14, 9, 8, Optimised(picture), shape=Ellipse()),
        Sticker(3, 20, 2, 6, 5, Pixels(picture, "picture.png")),
        Sticker(4, 1, 20, 6, 5, Optimised(picture)),
        Sticker(5, 10, 0, 8, 20, Shadow(0.3, 2.0), shape=Polygon()),
    )
    scene = compose(image, stickers)
    result = engine.run(
        attacks.StickerPGD(steps=3, begin=begin), classifier, scene.base[None], mask=scene.mask, start=scene.content[None], seed=2
    )
    entry = record.record_of(
        result, image=record.image_entry(image), mask=record.mask_entry(scene.mask), start=scene.content, stickers=stickers
    )
    script = as_python(entry)
    assert "mask=composition.mask" in script
    assert "the recorded bits: True" in outcome(script)


def test_a_start_that_the_stickers_show_is_not_written_out() -> None:
    classifier, image = signs()
    stickers = (Sticker(1, 12, 14, 9, 8, Optimised(torch.rand(3, 8, 9, generator=torch.Generator().manual_seed(5)))),)
    scene = compose(image, stickers)
    attack = attacks.StickerPGD(steps=3, begin="current")
    result = engine.run(attack, classifier, scene.base[None], mask=scene.mask, start=scene.content[None])
    entry = record.record_of(
        result, image=record.image_entry(image), mask=record.mask_entry(scene.mask), start=scene.content, stickers=stickers
    )
    script = as_python(entry)
    assert "start=composition.content[None]" in script
    assert "the recorded bits: True" in outcome(script)


def test_a_cancelled_run_is_ended_after_as_many_steps() -> None:
    classifier, image = signs()
    with engine.start(attacks.PGD(steps=50, eps=0.001), classifier, image[None]) as run:
        for made, _ in enumerate(run):
            if made == 4:
                break
    entry = record.record_of(run.result(), image=record.image_entry(image))
    assert entry.outcome.reason == "cancelled"
    assert "the recorded bits: True" in outcome(as_python(entry))


def test_several_runs_share_their_classifier_and_image() -> None:
    classifier, image = signs()
    entries = [
        record.record_of(engine.run(attack, classifier, image[None]), image=record.image_entry(image))
        for attack in (attacks.FGSM(), attacks.PGD(steps=3), attacks.FGSM())
    ]
    script = runs_as_python([Recorded(entry) for entry in entries])
    assert script.count("engine.models.load") == 1
    assert script.count("image = ") == 1
    assert outcome(script).count("the recorded bits: True") == 3
    ast.parse(script)


def test_the_script_runs_by_itself(tmp_path: Path) -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.PGD(steps=3), classifier, image[None]), image=record.image_entry(image))
    path = tmp_path / "again.py"
    path.write_text(as_python(entry), encoding="utf-8")
    root = Path(engine.__file__).parent.parent
    run = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, timeout=120
    )
    assert "the recorded bits: True" in run.stdout, run.stderr


def test_what_no_script_can_do_is_said() -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.FGSM(), classifier, image[None]), image=record.image_entry(image))

    def refused(changed: Record) -> str:
        with pytest.raises(engine.GibbonError) as caught:
            as_python(changed)
        return str(caught.value)

    model = entry.model
    assert "not read from a file" in refused(entry.model_copy(update={"model": model.model_copy(update={"source": None})}))
    assert "changed by hand" in refused(entry.model_copy(update={"model": model.model_copy(update={"changes": ("relu-1: tanh",)})}))
    assert "objective" in refused(entry.model_copy(update={"objective": "detector"}))
    assert "no attack “nothing”" in refused(entry.model_copy(update={"operation": entry.operation.model_copy(update={"slug": "nothing"})}))
    with pytest.raises(engine.GibbonError, match="no run"):
        runs_as_python([])


@pytest.mark.parametrize(
    "value",
    [
        *(True, None, 3, -2, 0.5, 0.1, 1.0, 1e-12, 2 / 255, -8 / 255, 254.5 / 255, 3e8, float("inf"), float("-inf")),
        *("a", 'a "quoted" text', "it's", "two\nlines", "back\\slash", "“typographic”", "x" * 500, '"' * 300),
        *((), (1,), (1, 2.5), [1, [2]], {"a": (0.25, None)}, {}),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_a_literal_evaluates_to_its_value(value: Any) -> None:
    assert eval(f"({literal(value)})") == value


def test_grey_levels_are_written_as_people_write_them() -> None:
    assert [literal(value) for value in (8 / 255, -1 / 255, 0.0, 1.0, 0.2)] == ["8 / 255", "-1 / 255", "0.0", "1.0", "0.2"]


def test_the_catalogue_is_covered() -> None:
    assert set(FIRST) == set(CATALOGUE)


def test_the_command_line_writes_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.FGSM(eps=8 / 255), classifier, image[None]), image=record.image_entry(image))
    path = entry.write(tmp_path / "a.json")
    assert command(["script", str(path)]) == 0
    assert "attacks.FGSM(" in capsys.readouterr().out
    assert command(["script", str(path), str(path), "--out", str(tmp_path / "again")]) == 0
    assert outcome((tmp_path / "again.py").read_text(encoding="utf-8")).count("the recorded bits: True") == 2
    capsys.readouterr()
    assert command(["script", str(path), "--out", str(tmp_path / "again.py")]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert command(["script", str(path), "--out", str(tmp_path / "again.txt")]) == 2
    assert "ends in .py" in capsys.readouterr().err


def test_a_script_is_not_written_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(engine.GibbonError):
        write_script(tmp_path / "file" / "a.py", "")


# ---------------------------------------------------------------------- figures and studies


def test_a_figure_is_drawn_again_with_its_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.images import open_image

    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.PGD(steps=3), classifier, image[None]), image=record.image_entry(image))
    path = entry.write(tmp_path / "a.json")
    options = [
        "--panels",
        "clean,adversarial,perturbation,saliency,bars",
        "--width-mm",
        "120",
        "--font",
        "serif",
        "--top",
        "5",
        "--gain",
        "20",
    ]
    assert command(["figure", str(path), "--out", str(tmp_path / "a.png"), *options]) == 0
    script = as_python(Record.read(tmp_path / "a.png.json"), tmp_path)
    assert "width_mm=120.0" in script
    assert 'font="serif"' in script
    assert "letters" not in script
    monkeypatch.chdir(tmp_path)
    assert "the recorded bits: True" in outcome(script.replace('"figure.pdf"', '"figure.png"'))
    assert (open_image(tmp_path / "figure.png").pixels == open_image(tmp_path / "a.png").pixels).all()
    assert "the recorded bits: True" in outcome(script)
    assert (tmp_path / "figure.pdf").stat().st_size > 1000


def test_settings_of_no_figure_are_refused() -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.FGSM(), classifier, image[None]), image=record.image_entry(image))
    with pytest.raises(engine.GibbonError, match="Export the figure again"):
        as_python(entry.model_copy(update={"figure": {"panels": 3}}))


def test_a_study_s_attacks_are_one_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from engine import study

    classifier, image = signs()
    made = study.Study.of(*(engine.run(attack, classifier, image[None], seed=4) for attack in (attacks.FGSM(), attacks.PGD(steps=3))))
    hand_made = engine.run(attacks.FGSM(), engine.Classifier(small_network(seed=0), list("abcde"), (3, 8, 8), device="cpu"), clean()[None])
    mixed = replace(made, runs=(*made.runs, *(replace(run, number=3) for run in study.Study.of(hand_made).runs)))
    path = tmp_path / "work.gibbon"
    study.write(mixed, path)
    assert command(["script", str(path)]) == 0
    script = capsys.readouterr().out
    assert "# #3 FGSM is left out." in script
    assert script.count("engine.models.load") == 1
    assert outcome(script).count("the recorded bits: True") == 2
    assert command(["script", str(path), str(path)]) == 2
    without = replace(made, removed=frozenset({made.runs[0].id}))
    assert outcome(study_as_python(without)).count("the recorded bits: True") == 1
    with pytest.raises(engine.GibbonError, match="no attack"):
        study_as_python(study.Study())


def test_strange_names_do_not_break_the_script() -> None:
    classifier, image = signs()
    entry = record.record_of(engine.run(attacks.FGSM(), classifier, image[None]), image=record.image_entry(image))
    strange = 'a """b""" \\ \n c'
    changed = entry.model_copy(
        update={
            "model": entry.model.model_copy(update={"name": strange}),
            "label": entry.label.model_copy(update={"name": strange}),
            "versions": {"torch": strange},
            "device_name": strange,
        }
    )
    assert "the recorded bits: True" in outcome(as_python(changed))


def test_the_script_of_a_study_does_not_need_a_file_that_is_gone(tmp_path: Path) -> None:
    from engine.record import record_of_scene

    classifier, _ = signs()
    path = images.write_png(tmp_path / "photo.png", torch.rand(3, 50, 70, generator=torch.Generator().manual_seed(1)))
    photograph, crop = images.open_image(path), images.Crop(3, 4, 40, 40)
    image = photograph.crop_to(classifier, crop)
    result = engine.run(attacks.FGSM(), classifier, image[None])
    info = {"path": str(path), "sha256": photograph.sha256, "crop": list(crop)}
    assert record_of_scene(result, image, image=info, folder=tmp_path).image.path == "photo.png"
    path.unlink()
    gone = record_of_scene(result, image, image=info, folder=tmp_path)
    assert gone.image.path is None
    assert "the recorded bits: True" in outcome(as_python(gone, tmp_path))


def failed_run(folder: Path | None = None) -> Record:
    """Return the record of an attack that found no start for its walk: its image is the clean one."""
    classifier, image = signs()
    label = classifier.predict(image[None])
    attack = attacks.HopSkipJump(steps=1, initial_evaluations=5)
    with engine.start(attack, classifier, image[None], label, (label + 1) % 43, seed=1) as run, pytest.raises(engine.GibbonError):
        for _ in run:
            pass
    return record.record_of(run.result(), image=record.image_entry(image), folder=folder)


def test_a_failed_run_fails_again_in_its_script_and_the_next_one_runs() -> None:
    classifier, image = signs()
    other = record.record_of(engine.run(attacks.FGSM(), classifier, image[None]), image=record.image_entry(image))
    failed = failed_run()
    assert failed.outcome.reason == "failed"
    said = outcome(runs_as_python([Recorded(failed), Recorded(other)]))
    assert "No starting image is taken for the target" in said
    assert said.count("the recorded bits: True") == 2


def test_a_failed_run_is_replayed_to_where_it_failed() -> None:
    again = record.replay(failed_run())
    assert again.same
    assert again.reason == "failed"
    finished = failed_run().model_copy(update={"outcome": failed_run().outcome.model_copy(update={"reason": "finished"})})
    with pytest.raises(engine.GibbonError, match="No starting image"):
        record.replay(finished)


def test_a_path_in_a_script_has_no_detours(tmp_path: Path) -> None:
    classifier, _ = signs()
    path = images.write_png(tmp_path / "photo.png", torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1)))
    photograph = images.open_image(path)
    crop = photograph.default_crop(classifier)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    result = engine.run(attacks.FGSM(), classifier, photograph.crop_to(classifier, crop)[None])
    entry = record.record_of(result, image=record.image_entry(result.clean[0], photograph, crop, tmp_path / "deep" / "er"))
    assert f'"{path.resolve()}"' in as_python(
        entry.model_copy(update={"image": entry.image.model_copy(update={"path": "../../photo.png"})}), tmp_path / "deep" / "er"
    )
