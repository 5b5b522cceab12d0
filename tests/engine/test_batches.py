"""Batches: one attack on many images. Each row is the single run of its image, bit for bit; what fails is a row with a sentence."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import engine
from engine import attacks
from engine.data import DataSet, Selection
from engine.errors import GibbonError
from engine.evaluate.batch import COLUMNS, ImageResults, ImageRow, ImageRun, attack_images, from_data, from_files, summary_of, table_of
from engine.evaluate.batch.aims import target_of
from engine.intervals import wilson
from engine.operation import Attack
from engine.record import BatchRecord, compared, repeat_batch, write_batch
from engine.stickers import Colour, Optimised, Sticker
from tests.engine.conftest import linear_classifier, small_network

LABELS = tuple("abcde")


def small() -> engine.Classifier:
    return engine.Classifier(small_network(), LABELS, (3, 8, 8), name="small", device="cpu")


def images(count: int = 6, labels: tuple[str, ...] = LABELS) -> DataSet:
    """Random images whose labels are the model's own predictions, but for the last, which is wrong."""
    pixels = torch.randint(256, (count, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    predicted = small().predict(pixels.float() / 255)
    predicted[-1] = (predicted[-1] + 1) % 5
    return DataSet("drawn", labels, pixels, predicted, "drawn for the test")


def finished(run: ImageRun) -> ImageResults:
    with run:
        for _ in run:
            pass
    return run.result()


ATTACKS: list[Attack] = [
    attacks.PGD(eps=0.1, steps=4, random_start=True, restarts=2),
    attacks.PGD(norm="l2", eps=1.0, steps=3),
    attacks.Square(eps=0.2, max_queries=40),
    attacks.CarliniWagner(steps=5, searches=2) if hasattr(attacks, "CarliniWagner") else attacks.FGSM(),
    attacks.DeepFool(),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.slug}")
def test_each_row_is_the_single_run_of_its_image(attack: Attack) -> None:
    classifier, data = small(), images()
    results = finished(attack_images(attack, classifier, from_data(data, classifier), seed=40))
    assert [row.number for row in results.rows] == list(range(6))
    for row in results.rows:
        x, y = data.batch([row.number])
        alone = engine.run(attack, classifier, x, y, seed=row.seed)
        assert row.seed == 40 + row.number
        assert row.result is not None
        assert torch.equal(row.result.adversarial, alone.adversarial)
        assert torch.equal(row.result.trace, alone.trace)
        assert (row.success, row.wrong_before) == (bool(alone.success), bool(alone.wrong_before))
        assert (row.steps, row.forwards, row.backwards) == (alone.steps_made, alone.forwards, alone.backwards)
        flipped = int(alone.steps_to_flip) >= 0 and not alone.wrong_before  # no step flips what was wrong before
        assert row.steps_to_flip == (int(alone.steps_to_flip) if flipped else None)
        assert row.norms == {name: float(value) for name, value in alone.norms.items()}
        assert row.result.provenance["seed"] == row.seed


def test_several_at_once_draw_what_each_draws_alone() -> None:
    attack, classifier, data = attacks.PGD(eps=0.1, steps=5, random_start=True), small(), images(7)
    one, three = (finished(attack_images(attack, classifier, from_data(data, classifier), seed=3, together=n)) for n in (1, 3))
    for alone, beside in zip(one.rows, three.rows, strict=True):
        assert alone.seed == beside.seed
        assert alone.result is not None
        assert beside.result is not None
        # Other draws would differ by about eps, the last bits of a larger batch by far less.
        assert torch.allclose(alone.result.adversarial, beside.result.adversarial, atol=1e-5)
        assert alone.steps == beside.steps


@pytest.mark.parametrize("together", [1, 3])
def test_the_query_of_an_assumed_label_is_counted_beside_labels_that_are_given(together: int) -> None:
    """Some images have a class and some have none; each has the budget and the count that it has alone."""
    attack, classifier, data = attacks.PGD(eps=0.1, steps=30, max_queries=6), small(), images(labels=("a", "b", "x", "y", "z"))
    results = finished(attack_images(attack, classifier, from_data(data, classifier), together=together))
    assert {row.label_assumed for row in results.rows} == {True, False}
    for row in results.rows:
        labels = None if row.label_assumed else torch.tensor([row.label])
        alone = engine.run(attack, classifier, data.batch([row.number])[0], labels=labels, seed=row.seed)
        assert row.forwards == alone.forwards == 6
        assert row.result is not None
        assert torch.equal(row.result.adversarial, alone.adversarial)


def test_an_unknown_label_is_the_models_own_prediction() -> None:
    attack, classifier, data = attacks.PGD(eps=0.1, steps=3), small(), images(labels=("v", "w", "x", "y", "z"))
    subjects = from_data(data, classifier)
    results = finished(attack_images(attack, classifier, subjects))
    for row in results.rows:
        alone = engine.run(attack, classifier, data.batch([row.number])[0], seed=row.seed)
        assert row.label_assumed
        assert not row.wrong_before
        assert row.result is not None
        assert torch.equal(row.result.adversarial, alone.adversarial)
        assert (row.result.labels_assumed, row.forwards) == (True, alone.forwards)
    assert "has no class" in subjects.notes[0]
    assert results.summary.assumed == 6


def test_a_sticker_is_on_every_image_and_alone_is_painted() -> None:
    classifier, data = small(), images(3)
    stickers = (Sticker(1, 0, 0, 3, 3, Colour((1.0, 0.0, 0.0))), Sticker(2, 4, 4, 3, 3, Optimised()))
    attack = attacks.PGD(eps=None, steps=2)
    results = finished(attack_images(attack, classifier, from_data(data, classifier), stickers=stickers, region="stickers"))
    for row in results.rows:
        assert row.result is not None
        clean, made = row.result.clean[0], row.result.adversarial[0]
        assert torch.equal(clean[:, :3, :3], torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 3, 3))
        outside = torch.ones(8, 8, dtype=torch.bool)
        outside[4:7, 4:7] = False
        assert torch.equal(made[:, outside], clean[:, outside])
        assert not torch.equal(made, clean)


# ---------------------------------------------------------------------- targets


def test_the_rules_of_aims() -> None:
    classifier = linear_classifier(classes=5, shape=(1, 2, 2))
    image = torch.rand(1, 2, 2, dtype=torch.float64)
    logits = classifier.score(image[None])[0]
    least = int(logits.argmin())
    assert target_of("away", classifier, image, 0, 0) is None
    assert target_of("next", classifier, image, 4, 0) == 0
    assert target_of("least likely", classifier, image, (least + 1) % 5, 0) == least
    assert target_of("least likely", classifier, image, least, 0) == int(logits.argsort()[1])  # the label itself is no target
    drawn = [target_of("random", classifier, image, 2, seed) for seed in range(200)]
    assert set(drawn) == {0, 1, 3, 4}
    assert target_of(3, classifier, image, 2, 0) == 3
    with pytest.raises(GibbonError, match="is the target already"):
        target_of(2, classifier, image, 2, 0)


def test_an_image_of_the_target_class_is_a_row_that_says_so() -> None:
    classifier, data = small(), images()
    target = int(data.targets[0])
    results = finished(attack_images(attacks.PGD(steps=2), classifier, from_data(data, classifier), aim=target))
    assert "is the target already" in results.rows[0].error
    assert results.rows[0].picture is not None
    assert {row.target for row in results.rows if not row.error} == {target}
    assert results.summary.errors == int((data.targets == target).sum())


@pytest.mark.parametrize("aim", ["towards", 5, -1, True])
def test_a_wrong_aim_is_refused_before_the_first_image(aim: Any) -> None:
    with pytest.raises(GibbonError, match="is no aim"):
        attack_images(attacks.PGD(), small(), from_data(images(), small()), aim=aim)


# ---------------------------------------------------------------------- files


def _file(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), (value, 2 * value % 256, 255 - value)).save(path)
    return path


def test_files_folders_and_class_folders(tmp_path: Path) -> None:
    _file(tmp_path / "set/b/1.png"), _file(tmp_path / "set/d/2.png"), _file(tmp_path / "set/3.png")
    _file(tmp_path / "n01234567_c.png"), _file(tmp_path / "n01234567_17.png")
    paths = [tmp_path / "set", tmp_path / "n01234567_c.png", tmp_path / "n01234567_17.png"]
    subjects = from_files(paths, small())
    assert [(Path(item.name).name, item.label) for item in subjects.items] == [
        ("3.png", None),
        ("1.png", 1),
        ("2.png", 3),
        ("n01234567_c.png", 2),
        ("n01234567_17.png", None),
    ]
    assert subjects.words == "all 5 files"
    assert from_files(paths, small(), Selection(2)).words == "2 of 5 files, spread evenly"


def test_a_damaged_file_is_a_row_with_a_sentence_and_not_the_end(tmp_path: Path) -> None:
    good = [_file(tmp_path / f"{name}.png", 10 * name) for name in (1, 2, 3)]
    for name, content in (("text.png", b"hello"), ("empty.jpg", b""), ("cut.png", good[0].read_bytes()[:40])):
        (tmp_path / name).write_bytes(content)
    paths = [good[0], tmp_path / "text.png", tmp_path / "empty.jpg", good[1], tmp_path / "cut.png", good[2]]
    results = finished(attack_images(attacks.FGSM(), small(), from_files(paths, small())))
    assert [bool(row.error) for row in results.rows] == [False, True, True, False, True, False]
    assert all(row.error.endswith(".") for row in results.rows if row.error)
    assert (results.summary.done, results.summary.errors, results.summary.robust.of) == (6, 3, 3)


def test_what_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match="does not exist"):
        from_files([tmp_path / "nothing.png"], small())
    (tmp_path / "empty").mkdir()
    with pytest.raises(GibbonError, match="no images"):
        from_files([tmp_path / "empty"], small())


def test_one_image_at_fault_does_not_spoil_those_beside_it() -> None:
    class Picky(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if bool(((x[:, 0, 0, 0] == 1) & (x[:, 1, 0, 0] == 0)).any()):
                raise ValueError("such a red is not allowed")
            return 3 * torch.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3))], 1)

    classifier = engine.Classifier(Picky(), ["light", "dark"], (3, 4, 4), device="cpu")
    pixels = torch.full((4, 3, 4, 4), 60, dtype=torch.uint8)
    pixels[2, 0, 0, 0], pixels[2, 1, 0, 0] = 255, 0
    data = DataSet("four", ("light", "dark"), pixels, torch.ones(4, dtype=torch.int64), "")
    results = finished(attack_images(attacks.FGSM(eps=0.01), classifier, from_data(data, classifier), together=4))
    assert [bool(row.error) for row in results.rows] == [False, False, True, False]
    assert "such a red is not allowed" in results.rows[2].error


# ---------------------------------------------------------------------- cancel, memory, counts


def test_cancel_keeps_the_rows_so_far() -> None:
    run = attack_images(attacks.PGD(steps=3), small(), from_data(images(), small()))
    for step in run:
        assert step.share_done is not None
        assert 0 <= step.share_done <= 1
        if step.index == 2:
            break
    run.close()
    results = run.result()
    assert (results.reason, [row.number for row in results.rows]) == ("cancelled", [0, 1])
    assert (results.summary.done, results.summary.of) == (2, 6)


def test_a_run_may_be_asked_before_its_first_row() -> None:
    run = attack_images(attacks.PGD(steps=3), small(), from_data(images(), small()))
    next(run)
    run.close()
    assert run.result().summary.robust.value is None
    assert run.result().summary.sentences()[0] == "0 images of 6"


def test_results_beyond_the_memory_are_dropped_and_can_be_made_again() -> None:
    classifier, data = small(), images()
    one = finished(attack_images(attacks.PGD(steps=2), classifier, from_data(data, classifier))).rows[0].nbytes
    results = finished(attack_images(attacks.PGD(steps=2), classifier, from_data(data, classifier), keep_bytes=3 * one + one // 2))
    assert [row.result is not None for row in results.rows] == [True] * 3 + [False] * 3
    last = results.rows[-1]
    x, y = data.batch([5])
    assert engine.images.digest(engine.run(attacks.PGD(steps=2), classifier, x, y, seed=last.seed).adversarial[0]) == last.sha256


def test_progress_never_goes_back() -> None:
    shares = [step.share_done or 0 for step in attack_images(attacks.PGD(steps=3), small(), from_data(images(), small()), together=4)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_summary_counts_as_a_plain_loop_does() -> None:
    classifier, data = small(), images(40)
    results = finished(attack_images(attacks.PGD(eps=0.02, steps=3), classifier, from_data(data, classifier)))
    right_before = right_after = fresh = won = 0
    for row in results.rows:
        assert row.result is not None
        before, after, label = int(row.result.clean_prediction), int(row.result.prediction), int(data.targets[row.number])
        right_before += before == label
        right_after += before == label == after
        fresh += before == label
        won += before == label != after
    found = results.summary
    assert (found.before.hits, found.before.of) == (right_before, 40)
    assert (found.robust.hits, found.robust.of) == (right_after, 40)
    assert (found.success.hits, found.success.of) == (won, fresh)
    assert found.already == 40 - fresh
    assert 0 < won < fresh  # else this test would show little


def test_misread_images_are_no_successes() -> None:
    rows = [ImageRow(0, "x", 0, LABELS, label=1, after=2, success=True, wrong_before=True, reached_before=True)]
    found = summary_of(rows)
    assert (found.success.of, found.already, found.before.hits, found.robust.hits) == (0, 1, 0, 0)
    assert rows[0].verdict == "misread before"


def test_targeted_success_and_robustness_are_two_things() -> None:
    """An image that left its label without reaching the target is neither a success nor robust."""
    row = ImageRow(0, "x", 0, LABELS, label=1, target=3, after=2, success=False, wrong_before=False, reached_before=False)
    found = summary_of([row])
    assert (found.success.hits, found.robust.hits) == (0, 0)


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (10, 10), (3, 10), (122, 200), (1, 1)])
def test_wilsons_interval_solves_its_equation(hits: int, of: int) -> None:
    share = hits / of
    for end in wilson(hits, of):
        if 0 < end < 1:
            assert math.isclose(abs(share - end), 1.959963984540054 * math.sqrt(end * (1 - end) / of), rel_tol=1e-9)
    low, high = wilson(hits, of)
    assert 0 <= low <= share <= high <= 1


def test_wilsons_interval_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


# ---------------------------------------------------------------------- files that are written


def signs(count: int, **given: Any) -> tuple[engine.Classifier, ImageResults]:
    classifier = engine.models.load("signs", device="cpu")
    data = engine.data.load("generated:signs", count=count, seed=9)
    attack = attacks.PGD(eps=4 / 255, steps=2, random_start=True)
    return classifier, finished(attack_images(attack, classifier, from_data(data, classifier), seed=11, **given))


def test_the_csv_holds_numbers_as_numbers_and_one_fact_a_column(tmp_path: Path) -> None:
    _, results = signs(4)
    table, record = write_batch(results, tmp_path / "table.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    for row, written in zip(results.rows, rows, strict=True):
        assert float(written["linf"]) == row.norms["linf"]
        assert float(written["probability_after"]) == row.probability_after
        assert int(written["seed"]) == row.seed
        assert written["success"] == str(row.success).lower()
        assert written["label"] == results.classifier.labels[row.label or 0]
        assert (written["steps_to_flip"] == "") == (row.steps_to_flip is None)
    assert json.loads(record.read_text())["command"] == "python main.py batch --repeat table.json"
    assert table_of(results.rows, "").columns == COLUMNS


def test_the_record_repeats_the_batch_bit_for_bit(tmp_path: Path) -> None:
    _, results = signs(3)
    _, path = write_batch(results, tmp_path / "table.csv")
    record = BatchRecord.read(path)
    again = finished(repeat_batch(record, folder=tmp_path))
    assert [row.sha256 for row in again.rows] == [row.sha256 for row in results.rows]
    assert compared(record, again) == "The same bits again for all 3 images."
    other = record.model_copy(update={"seed": 12})
    assert compared(record, finished(repeat_batch(other, folder=tmp_path))) != compared(record, again)


def test_a_batch_of_files_with_stickers_is_repeated_elsewhere(tmp_path: Path) -> None:
    classifier = engine.models.load("signs", device="cpu")
    paths = [_file(tmp_path / f"here/{name}.png", 60 * name) for name in (1, 2)]
    stickers = (Sticker(1, 2, 2, 6, 6, Colour((0.0, 1.0, 0.0)), opacity=0.5), Sticker(2, 10, 10, 9, 9, Optimised()))
    run = attack_images(attacks.PGD(steps=2), classifier, from_files(paths, classifier), stickers=stickers, region="stickers", aim="random")
    results = finished(run)
    _, path, _ = write_batch(results, tmp_path / "here/table.csv", images=True)
    assert (tmp_path / "here/table/1.png").is_file()
    (tmp_path / "here").rename(tmp_path / "there")
    record = BatchRecord.read(tmp_path / "there" / path.name)
    assert [row.sha256 for row in finished(repeat_batch(record, folder=tmp_path / "there")).rows] == [row.sha256 for row in results.rows]
    _file(tmp_path / "there/2.png", 7)
    with pytest.raises(GibbonError, match="SHA-256 differs"):
        repeat_batch(record, folder=tmp_path / "there")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{", "is not JSON"), ("[]", "no record of a batch"), ('{"format": "gibbon-batch", "version": 7}', "version 7"), ("{}", "no record")],
)
def test_a_damaged_record_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(GibbonError, match=sentence):
        BatchRecord.read(tmp_path / "x.json")


# ---------------------------------------------------------------------- the command line

Command = Callable[..., tuple[int, str, str]]


def test_the_command_writes_a_table_that_its_record_repeats(run: Command) -> None:
    code, said, _ = run(
        *("batch", "--image-set", "generated:digits", "--model", "digits", "--count", "5", "--classes", "3,8"),
        *("--attack", "pgd", "--eps", "0.2", "--steps", "3", "--random-start", "--seed", "4", "--pictures"),
    )
    assert code == 0
    assert "5 images of the classes 3, 8" in said
    rows = list(csv.DictReader(Path("generated-digits-pgd.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["label"] for row in rows] == ["3", "8", "3", "8", "3"]
    assert len(list(Path("generated-digits-pgd").iterdir())) == 5
    code, said, _ = run("batch", "--repeat", "generated-digits-pgd.json")
    assert (code, said.splitlines()[0]) == (0, "The same bits again for all 5 images.")
    code, _, complained = run("batch", "--image-set", "generated:digits", "--model", "digits", "--count", "5")
    assert code == 2
    assert "already" in complained


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give either --images"),
        (["--images", "nothing.png"], "does not exist"),
        (["--image-set", "generated:digits", "--model", "digits", "--classes", "eleven"], "eleven"),
        (["--image-set", "generated:digits", "--model", "digits", "--aim", "eleven"], "eleven"),
        (["--image-set", "gibberish"], "There is no data set"),
        (["--images", "x", "--image-set", "mnist"], "Give either"),
        (["--repeat", "nothing.json"], "nothing.json"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(arguments: list[str], sentence: str, run: Command) -> None:
    code, _, complained = run("batch", *arguments)
    assert code == 2
    assert sentence in complained
    assert complained.count("\n") == 1
