"""Commands on studies: every run replayed, and a script that needs nothing but the study."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine import attacks, images, study
from engine.cli import main as command
from engine.reproduce import CATALOGUE
from engine.script import study_as_python
from engine.stickers import Colour, Optimised, Sticker, compose
from engine.study import Study, StudyRun
from tests.engine.conftest import small_network
from tests.engine.study_damage import edited, repacked
from tests.engine.test_script import outcome

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def signs() -> engine.Classifier:
    """The shipped classifier of signs."""
    return engine.models.load("signs", device="cpu")


def a_photograph(folder: Path) -> Path:
    return images.write_png(folder / "photo.png", torch.rand(3, 50, 70, generator=torch.Generator().manual_seed(1)))


def on_a_photograph(folder: Path, classifier: engine.Classifier) -> Study:
    """A study of three runs: two on a cropped photograph, and one with stickers whose content is made."""
    photograph, crop = images.open_image(a_photograph(folder)), images.Crop(3, 4, 40, 40)
    clean = photograph.crop_to(classifier, crop)
    info = {"name": "photo.png", "path": str(folder / "photo.png"), "sha256": photograph.sha256, "crop": list(crop)}
    plain = Study.of(*(engine.run(attack, classifier, clean[None], seed=4) for attack in (attacks.FGSM(), attacks.PGD(steps=3))))
    runs = [replace(run, image=info, photograph=photograph) for run in plain.runs]
    stickers = (Sticker(1, 2, 2, 8, 8, Colour()), Sticker(2, 14, 14, 8, 8, Optimised()))
    scene = compose(clean, stickers)
    assert scene.mask is not None
    painted = engine.run(attacks.StickerPGD(steps=3), classifier, scene.base[None], mask=scene.mask, start=scene.content[None], seed=2)
    third = replace(Study.of(painted).runs[0], number=3, clean=clean, before=stickers, image=info, photograph=photograph)
    return Study(runs=(*runs, third))


def test_every_run_of_a_study_is_replayed_bit_for_bit(run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    path = study.write(on_a_photograph(tmp_path, signs), tmp_path / "work.gibbon")
    (tmp_path / "photo.png").unlink()  # the study holds its pixels
    code, out, err = run("replay", str(path))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "#1 FGSM: The same bits again.",
        "#2 PGD: The same bits again.",
        "#3 Sticker content: The same bits again.",
        "The same bits again in 3 of 3 runs.",
    ]
    code, out, err = run("replay", str(path), "--json")
    told = json.loads(out)
    assert code == 0
    assert told["same"] is True
    assert all(each["same"] and each["recorded"] == each["now"] for each in told["runs"])


def other_bits(run: StudyRun) -> StudyRun:
    """The run as if another image had come out."""
    assert run.attack is not None
    return replace(run, result=replace(run.attack, adversarial=run.attack.adversarial.flip(-1)))


def test_other_bits_in_one_run_are_exit_code_1_and_a_removed_run_is_left_out(run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    made = on_a_photograph(tmp_path, signs)
    changed = replace(made, runs=(made.runs[0], other_bits(made.runs[1]), made.runs[2]))
    code, out, _ = run("replay", str(study.write(changed, tmp_path / "work.gibbon")))
    assert code == 1
    assert "#2 PGD: Other bits on the same device with the same versions." in out
    assert out.splitlines()[-1] == "The same bits again in 2 of 3 runs."
    removed = replace(changed, removed=frozenset({changed.runs[1].id}))
    code, out, _ = run("replay", str(study.write(removed, tmp_path / "removed.gibbon")))
    assert code == 0
    assert "#2" not in out


def test_a_run_that_cannot_be_replayed_is_said_and_the_others_are_replayed(run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    hand_made = engine.Classifier(small_network(seed=0), list("abcde"), (3, 8, 8), device="cpu", name="mine")
    gone = replace(Study.of(engine.run(attacks.FGSM(), hand_made, torch.rand(1, 3, 8, 8))).runs[0], number=9)
    made = on_a_photograph(tmp_path, signs)
    code, out, _ = run("replay", str(study.write(replace(made, runs=(*made.runs, gone)), tmp_path / "work.gibbon")))
    assert code == 2
    assert "#9 FGSM: It was not replayed. The record does not say where the model “mine” came from" in out
    assert out.splitlines()[-1] == "The same bits again in 3 of 4 runs."


def test_an_experiment_is_named_and_not_counted(run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    kind = next(iter(CATALOGUE.values()))
    other = StudyRun(replace_result(kind, signs), number=7)
    made = on_a_photograph(tmp_path, signs)
    code, out, _ = run("replay", str(study.write(replace(made, runs=(*made.runs, other)), tmp_path / "work.gibbon")))
    assert code == 0
    assert "It is no attack on an image, and is left out." in out
    code, _, err = run("replay", str(study.write(replace(made, runs=(other,)), tmp_path / "none.gibbon")))
    assert (code, err) == (2, "“none.gibbon” has no attack that could be replayed.\n")


def replace_result(kind: type[engine.Operation], classifier: engine.Classifier) -> engine.Result:
    """A result of an experiment that found nothing."""
    return engine.Result(kind(), engine.Reason.FINISHED, 1.0, 0, 0, {}, {"seed": 0})


@pytest.mark.parametrize("option", ["--out", "--image"])
def test_options_of_one_record_are_refused_for_a_study(option: str, run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    path = study.write(on_a_photograph(tmp_path, signs), tmp_path / "work.gibbon")
    code, _, err = run("replay", str(path), option, "a.png")
    assert code == 2
    assert err == f"{option} belongs to the record of one run, and “work.gibbon” is a study. Leave it out.\n"


def test_a_damaged_study_and_the_record_of_a_table_are_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cut.gibbon").write_bytes(b"PK\x03\x04 cut")
    code, _, err = run("replay", str(tmp_path / "cut.gibbon"))
    assert (code, err) == (2, "“cut.gibbon” is cut short or damaged. Choose another file, or an earlier copy.\n")
    (tmp_path / "table.json").write_text('{"format": "gibbon-batch", "version": 1}')
    code, _, err = run("replay", str(tmp_path / "table.json"))
    assert (code, err) == (2, "“table.json” is the record of a table of many images. Repeat it with: batch --repeat table.json\n")


def test_the_script_of_a_study_needs_the_study_alone(
    signs: engine.Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    path = study.write(on_a_photograph(tmp_path, signs), home / "work.gibbon")
    assert command(["script", str(path), "--out", str(home / "again.py")]) == 0
    (tmp_path / "photo.png").unlink()
    shutil.move(home, elsewhere)  # the script finds the study beside itself
    text = (elsewhere / "again.py").read_text(encoding="utf-8")
    assert "photo.png" not in text
    assert str(tmp_path) not in text
    assert len(text) < 6000, "no pixels of the image stand in it"
    monkeypatch.chdir(elsewhere)
    capsys.readouterr()
    runpy.run_path("again.py")
    assert capsys.readouterr().out.count("the recorded bits: True") == 3


def test_a_script_elsewhere_names_the_study_by_its_whole_path(signs: engine.Classifier, tmp_path: Path) -> None:
    made = on_a_photograph(tmp_path, signs)
    path = study.write(made, tmp_path / "work.gibbon")
    text = study_as_python(study.read(path), file=path)
    assert text.count("study.read(") == 1
    assert text.count("kept.run(") == 1, "three runs share one image"
    (tmp_path / "photo.png").unlink()
    assert outcome(text).count("the recorded bits: True") == 3


def newer(name: str, content: Any) -> Any:
    return {**content, "version": 99} if name == "study.json" else content


@pytest.mark.parametrize("verb", ["replay", "script"])
def test_bad_studies_are_one_sentence_for_every_command(verb: str, run: Run, signs: engine.Classifier, tmp_path: Path) -> None:
    good = study.write(on_a_photograph(tmp_path, signs), tmp_path / "good.gibbon")
    cut = tmp_path / "cut.gibbon"
    cut.write_bytes(good.read_bytes()[:-40])
    bad = {
        "is cut short or damaged": cut,
        "Install a newer one": edited(good, newer),
        "leaves its folder": repacked(good, lambda members: {**members, "../evil.txt": b"x"}),
        "There is no file": tmp_path / "gone.gibbon",
    }
    for said, path in bad.items():
        code, out, err = run(verb, str(path))
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "said"), [("gone.safetensors", "gone.safetensors"), ("signs-bounded", "is another model than the recorded one")]
)
def test_a_study_whose_model_is_gone_or_another_says_so_for_each_run(
    source: str, said: str, run: Run, signs: engine.Classifier, tmp_path: Path
) -> None:
    def other(name: str, content: Any) -> Any:
        if name == "study.json":
            content["models"][0]["entry"].update(source=source, fingerprint="0" * 16)
        elif name.startswith("runs/"):
            content["attack"]["model"] = "0" * 16
        return content

    good = study.write(on_a_photograph(tmp_path, signs), tmp_path / "good.gibbon")
    code, out, _ = run("replay", str(edited(good, other)))
    assert code == 2
    assert out.count("It was not replayed.") == 3
    assert out.count(said) == 3
    assert out.splitlines()[-1] == "The same bits again in 0 of 3 runs."
