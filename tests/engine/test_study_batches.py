"""The table of a batch in a study: rows, verdicts and norms come back, and a row is attacked again to the bits of the table."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine import attacks, data, images, study
from engine.data import Selection
from engine.defenses.preprocessing import defended
from engine.evaluate.batch import ImageResults, RowAgain, RowRun, attack_images, from_data, from_files
from engine.images import digest
from engine.operation import Attack
from engine.stickers import Colour, Optimised, Sticker
from engine.study import Study
from engine.study.migration import VERSION
from tests.engine.study_damage import edited
from tests.engine.study_scenes import a_study, assert_same
from tests.engine.test_batches import finished, small


def signs() -> engine.Classifier:
    return engine.models.load("signs", device="cpu")


def of_a_set(attack: Attack, together: int = 1, count: int = 7, **given: Any) -> ImageResults:
    """A batch of drawn signs."""
    selection = Selection(count, (13, 14), None)
    found = data.load("generated:signs", count=count, classes=selection.classes, seed=3)
    return finished(attack_images(attack, signs(), from_data(found, signs(), selection), seed=5, together=together, **given))


def again(results: ImageResults, number: int) -> RowAgain:
    run = RowRun(results, results.rows[number])
    for _ in run:
        pass
    run.close()
    return run.result()


ATTACKS = [attacks.PGD(eps=0.1, steps=4, random_start=True), attacks.DeepFool(), attacks.Square(eps=0.2, max_queries=30)]


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.slug))
def test_a_row_is_attacked_again_to_the_same_bits_with_its_timeline(attack: Attack, together: int) -> None:
    results = of_a_set(attack, together)
    for number in (0, 4, 6):
        row, found = results.rows[number], again(results, number)
        assert found.same
        assert digest(found.result.adversarial[0]) == row.sha256
        steps = found.timeline.steps
        assert steps[0].index == 0
        assert all(step.adversarial.shape == (1, 3, 32, 32) for step in steps)
        assert together > 1 or found.result.steps_made == row.steps  # a batch goes on until its last image is done
        flip = row.steps_to_flip
        assert any(step.index == flip and bool(step.success[0]) for step in steps) == (flip is not None)
        assert not any(bool(step.success[0]) for step in steps if flip is None or step.index < flip)
        assert {name: float(values[0]) for name, values in found.result.norms.items()} == row.norms


def test_stickers_and_targets_are_those_of_the_table() -> None:
    stickers = (Sticker(1, 2, 2, 8, 8, Colour()), Sticker(2, 14, 14, 8, 8, Optimised()))
    results = of_a_set(attacks.StickerPGD(steps=3), stickers=stickers, aim="next")
    assert again(results, 2).same
    assert again(results, 2).result.targets is not None


def test_a_table_comes_back_with_its_study_and_its_rows_open_again(tmp_path: Path) -> None:
    results = of_a_set(attacks.PGD(eps=0.1, steps=4, random_start=True), together=3)
    whole = replace(a_study(), batch=results)
    path = study.write(whole, tmp_path / "a.gibbon")
    found = study.read(path).batch
    assert found is not None
    for one, other in zip(results.rows, found.rows, strict=True):
        assert_same(replace(one, result=None), other)
    assert found.summary == results.summary
    assert (found.subjects.words, found.reason, found.aim, found.seed) == (results.subjects.words, "finished", "away", 5)
    assert study.is_recorded(found.classifier)
    assert again(replace(found, classifier=signs()), 4).same, "the row of the study that was read is made again"
    once_more = study.read(study.write(study.read(path), tmp_path / "b.gibbon")).batch
    assert once_more is not None
    assert_same(found.rows, once_more.rows)
    assert again(replace(once_more, classifier=signs()), 6).same


def test_a_table_of_files_comes_back_and_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = torch.Generator().manual_seed(1)
    for name in ("one", "two"):
        images.write_png(f"{name}.png", torch.rand(3, 20, 30, generator=random))
    Path("broken.png").write_text("broken")
    results = finished(attack_images(attacks.FGSM(), signs(), from_files([Path("one.png"), Path("broken.png"), Path("two.png")], signs())))
    path = study.write(Study(batch=results), tmp_path / "a.gibbon")
    monkeypatch.chdir(Path("/"))
    found = study.read(path).batch
    assert found is not None
    assert [bool(row.error) for row in found.rows] == [False, True, False]
    here = replace(found, classifier=signs())
    assert again(here, 2).same
    images.write_png(tmp_path / "two.png", torch.rand(3, 20, 30, generator=random))
    with pytest.raises(engine.GibbonError, match=r"“two.png” is not the image that was attacked: the file has changed"):
        again(here, 2)
    (tmp_path / "one.png").unlink()
    with pytest.raises(engine.GibbonError, match="There is no file"):
        again(here, 0)


def test_a_cancelled_table_says_how_much_of_it_there_is(tmp_path: Path) -> None:
    found = data.load("generated:signs", count=6, seed=3)
    run = attack_images(attacks.FGSM(), signs(), from_data(found, signs()))
    while len(run.rows) < 2:
        next(run)
    run.close()
    kept = study.read(study.write(Study(batch=run.result()), tmp_path / "a.gibbon")).batch
    assert kept is not None
    assert (kept.reason, len(kept.rows), len(kept.subjects)) == ("cancelled", 2, 6)
    assert kept.summary.of == 6


def test_a_study_of_version_1_has_no_table_and_is_migrated(tmp_path: Path) -> None:
    path = study.write(a_study(), tmp_path / "a.gibbon")

    def older(name: str, content: Any) -> Any:
        if name == "study.json":
            del content["batch"], content["copy_of"]
            content["version"] = 1
        return content

    old = edited(path, older)
    found = study.read(old)
    assert found.batch is None
    assert_same(a_study().canvas, found.canvas)
    with zipfile.ZipFile(study.write(found, tmp_path / "new.gibbon")) as archive:
        assert json.loads(archive.read("study.json"))["version"] == VERSION


def test_a_table_behind_a_defense_comes_back_with_both_attackers(tmp_path: Path) -> None:
    results = of_a_set(attacks.PGD(eps=0.1, steps=3, random_start=True), defense="jpeg quality=40 + bit-depth bits=3")
    assert results.unaware is not None
    path = study.write(Study(batch=results), tmp_path / "a.gibbon")
    kept = study.read(path).batch
    found = study.read(study.write(Study(batch=kept), tmp_path / "b.gibbon")).batch
    assert found is not None
    assert found.unaware is not None
    assert found.defense == results.defense
    assert found.undefended.fingerprint == signs().fingerprint != found.classifier.fingerprint
    assert found.unaware.summary == results.unaware.summary
    for one, other in zip(results.unaware.rows, found.unaware.rows, strict=True):
        assert_same(replace(one, result=None, picture=None), other)
    here = found.on(signs(), defended(signs(), found.defense))
    assert again(here, 4).same


def test_a_study_of_version_2_has_a_table_of_one_attacker(tmp_path: Path) -> None:
    path = study.write(Study(batch=of_a_set(attacks.FGSM(), count=2)), tmp_path / "a.gibbon")

    def older(name: str, content: Any) -> Any:
        if name == "study.json":
            content["version"] = 2
        if name == "batch.json":
            del content["defense"], content["undefended"], content["unaware"]
        return content

    found = study.read(edited(path, older)).batch
    assert found is not None
    assert (found.defense, found.unaware) == ((), None)
    assert again(replace(found, classifier=signs()), 1).same


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.update(undefended=None), "names no model without it"),
        (lambda table: table.update(undefended="another"), "names no model without it"),
        (lambda table: table.update(defense=[]), "names no defense"),
        (lambda table: table["unaware"][1].update(number=0), "the rows of its table"),
        (lambda table: table["unaware"][0].update(after=99), "names a class that the model does not have"),
        (lambda table: table["unaware"][0].update(picture=True), "lacks its pictures"),
        (lambda table: table["defense"][0].update(quality=900), "quality"),
    ],
)
def test_an_edited_table_behind_a_defense_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    path = study.write(Study(batch=of_a_set(attacks.FGSM(), count=2, defense="jpeg")), tmp_path / "a.gibbon")
    with pytest.raises(engine.GibbonError, match="damaged or was edited") as caught:
        study.read(edited(path, _table(change)))
    assert said in str(caught.value)


def _table(change: Any) -> Any:
    def edit(name: str, content: Any) -> Any:
        if name == "batch.json":
            change(content)
        return content

    return edit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table["rows"].reverse(), "the rows of its table are not those of its images"),
        (lambda table: table["rows"][0].update(number=99), "the rows of its table are not those of its images"),
        (lambda table: table["rows"][1].update(after=99), "names a class that the model does not have"),
        (lambda table: table["rows"][1].update(picture=False), "another shape than its rows say"),
        (lambda table: table.update(pictures=None), "lacks its pictures"),
        (lambda table: table.update(model="another"), "of a model that it does not name"),
        (lambda table: table.update(together=0), "batch.json says"),
        (lambda table: table.update(count=3), "the rows of its table"),
    ],
)
def test_an_edited_table_is_refused_in_a_sentence(change: Any, said: str, tmp_path: Path) -> None:
    path = study.write(Study(batch=of_a_set(attacks.FGSM(), count=4)), tmp_path / "a.gibbon")
    with pytest.raises(engine.GibbonError, match="damaged or was edited") as caught:
        study.read(edited(path, _table(change)))
    assert said in str(caught.value)


def test_a_table_of_an_attack_that_is_not_here_is_told(tmp_path: Path) -> None:
    path = study.write(Study(batch=of_a_set(attacks.FGSM(), count=2)), tmp_path / "a.gibbon")
    found = study.read(edited(path, _table(lambda table: table["operation"].update(slug="unheard-of"))))
    assert found.batch is None
    assert found.remarks == ("The table of many images is not shown, since there is no “unheard-of” among this Gibbon's attacks.",)


def test_a_large_table_is_written_once_and_quickly(tmp_path: Path) -> None:
    results = of_a_set(attacks.FGSM(), count=3)
    row = results.rows[0]
    many = replace(
        results,
        rows=tuple(replace(row, number=number) for number in range(3000)),
        subjects=replace(results.subjects, items=results.subjects.items * 1000, origin={**results.subjects.origin, "count": 3000}),
    )
    path = study.write(Study(batch=many), tmp_path / "a.gibbon")
    assert path.stat().st_size < 20 * 2**20
    found = study.read(path).batch
    assert found is not None
    assert len(found.rows) == 3000


def test_a_small_model_s_table_comes_back(tmp_path: Path) -> None:
    from tests.engine.test_batches import images as drawn

    results = finished(attack_images(attacks.FGSM(), small(), from_data(drawn(), small())))
    found = study.read(study.write(Study(batch=results), tmp_path / "a.gibbon")).batch
    assert found is not None
    assert [row.verdict for row in found.rows] == [row.verdict for row in results.rows]
