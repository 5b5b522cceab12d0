"""Tables: counts against closed forms and written-out loops, worst cases, replayed bits, resumption, errors, shared work."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.attacks import CATALOGUE
from engine.data import DataSet
from engine.defenses.training.sharing import own_share
from engine.evaluate import control
from engine.evaluate.batch import RowRun
from engine.evaluate.tables import (
    Column,
    TableAttack,
    TableResults,
    TableRun,
    TableSpec,
    budget_of,
    check_names,
    evaluate_table,
    read_spec,
    spec_toml,
)
from engine.intervals import wilson
from engine.text.formatting import format_number
from tests.engine.conftest import linear_classifier, small_network

LABELS = [f"class {i}" for i in range(5)]


def net(seed: int = 0) -> engine.Classifier:
    return engine.Classifier(small_network(seed=seed), LABELS, (3, 8, 8), name=f"net {seed}", device="cpu")


def drawn(count: int = 24, shape: tuple[int, int, int] = (3, 8, 8), classifier: engine.Classifier | None = None) -> DataSet:
    """Images off the ends of the range; labels are the classifier's predictions, a sixth of them turned, so that some are wrong before."""
    images = torch.randint(60, 196, (count, *shape), generator=torch.Generator().manual_seed(7), dtype=torch.uint8)
    model = classifier or net()
    targets = model.predict(images.float() / 255)
    targets[::6] = (targets[::6] + 1) % model.num_classes
    return DataSet("set", model.labels, images, targets, "drawn for a test")


def spec(**changes: Any) -> TableSpec:
    given: dict[str, Any] = {"models": ["a", "b"], "data": ["set"], "attacks": [{"attack": "fgsm", "eps": 0.1}], "together": 10}
    return TableSpec(**{**given, **changes})


def start(table: TableSpec, folder: Path | None = None, **given: Any) -> TableRun:
    """The table of two small networks "a" and "b" on the set "set", unless others are given."""
    usual: dict[str, Any] = {"classifiers": {"a": net(0), "b": net(1)}, "sets": {"set": drawn()}}
    return evaluate_table(table, folder, **{**usual, **given})


def finish(run: TableRun) -> TableResults:
    for _ in run:
        pass
    return run.result()


def plain(results: TableResults) -> str:
    """All numbers of a table, without times."""
    seconds = results.data().columns.index("seconds")
    return json.dumps([[value for place, value in enumerate(row) if place != seconds] for row in results.data().rows])


def attacked(attack: engine.Attack, model: engine.Classifier, data: DataSet, seed: int = 0) -> engine.AttackResult:
    """The attack of a cell, written out: each image with its own seed."""
    images, labels = data.batch(slice(None))
    return engine.run(attack, model, images, labels, seeds=[seed + row for row in range(len(images))])


# ---------------------------------------------------------------------- what is counted


def test_on_a_linear_model_accuracy_is_the_share_of_margins_beyond_eps_times_the_slope() -> None:
    """FGSM moves the margin by eps * ||w||_1 exactly, while no value leaves [0, 1]."""
    torch.manual_seed(0)
    layer = nn.Linear(16, 2).double()
    layer.bias.data = -layer.weight.detach().sum(1) / 2  # a grey image is on the boundary
    model = engine.Classifier(nn.Sequential(nn.Flatten(), layer), ["0", "1"], (1, 4, 4), name="linear", device="cpu")
    data = drawn(60, (1, 4, 4), model)
    images, labels = data.batch(slice(None))
    slope = model.module[1].weight[1] - model.module[1].weight[0]
    logits = model(images.double())
    margin = (logits[:, 1] - logits[:, 0]) * (2 * labels - 1)
    radii = [0.02, 0.05, 0.1, 0.2]
    results = finish(start(spec(models=["a"], attacks=[{"attack": "fgsm", "eps": radii}]), classifiers={"a": model}, sets={"set": data}))
    hits = [results.cell("a", column).robust.hits for column in results.columns]
    assert hits == [int((margin > eps * slope.abs().sum()).sum()) for eps in radii]
    assert hits == sorted(hits, reverse=True)
    assert hits[0] > hits[-1]  # the radii tell something
    right = int((margin > 0).sum())
    for column, robust in zip(results.columns, hits, strict=True):
        cell = results.cell("a", column)
        assert (cell.robust.of, cell.clean.hits, cell.success.of) == (60, right, right)
        assert cell.success.hits == right - robust
        assert cell.robust.interval == wilson(robust, 60)


def test_the_counts_of_white_box_and_transfer_are_those_of_a_loop() -> None:
    table = spec(attacks=[{"attack": "pgd", "eps": 0.08, "steps": 4}], crafted_on=["itself", "a"], seed=3)
    results = finish(start(table))
    data = drawn()
    images, labels = data.batch(slice(None))
    for column in results.columns:
        for row, model in {"a": net(0), "b": net(1)}.items():
            cell = results.cell(row, column)
            made = attacked(attacks.PGD(eps=0.08, steps=4), net(0) if column.place == "a" else model, data, seed=3)
            before, after = model.predict(images) == labels, model.predict(made.adversarial) == labels
            robust = sum(bool(b) and bool(a) for b, a in zip(before, after, strict=True))
            fooled = sum(bool(b) and not bool(a) for b, a in zip(before, after, strict=True))
            assert (cell.robust.hits, cell.robust.of) == (robust, 24)
            assert (cell.success.hits, cell.success.of) == (fooled, int(before.sum()))
            assert (cell.right_after.hits, cell.clean.hits) == (int(after.sum()), int(before.sum()))
            noise = torch.cat([control(images[i : i + 1], made.adversarial[i : i + 1], seed=3 + i) for i in range(24)])
            fooled_both = sum(bool(s) and bool(b) and not bool(a) for s, b, a in zip(made.success, before, after, strict=True))
            assert (cell.transfer.hits, cell.transfer.of) == (fooled_both, int((made.success & before).sum()))
            assert cell.noise.hits == int((before & (model.predict(noise) == labels)).sum())
            torch.testing.assert_close(cell.verdicts.norms[:, 3], made.norms["linf"].double())
    itself, on_a = results.columns
    assert results.cell("a", itself).robust == results.cell("a", on_a).robust  # the images of “a” are made on “a” in both
    assert results.cell("b", itself).robust != results.cell("b", on_a).robust


def test_an_image_is_robust_in_a_group_only_if_every_attack_failed_on_it() -> None:
    """Two attacks that fool different images: the worst case is below both, and equal to a loop over the images."""
    both = [{"attack": "noise", "eps": 0.2, "distribution": shape, "name": shape} for shape in ("sign", "uniform")]
    results = finish(start(spec(models=["a"], attacks=both)))
    (group,) = results.groups
    one, two = (results.cell("a", column).verdicts for column in group.columns)
    robust = fooled = 0
    for row in range(24):
        right = bool(one.before[row] == one.labels[row])
        holds = bool(one.after[row] == one.labels[row]) and bool(two.after[row] == two.labels[row])
        robust, fooled = robust + (right and holds), fooled + (right and not holds)
    worst = results.worst("a", group)
    assert (worst.robust.hits, worst.robust.of) == (robust, 24)
    assert (worst.success.hits, worst.success.of) == (fooled, results.cell("a", group.columns[0]).clean.hits)
    assert worst.robust.hits < min(results.cell("a", column).robust.hits for column in group.columns)


def test_attacks_of_unequal_budgets_have_groups_of_their_own_unless_the_specification_joins_them() -> None:
    unequal = [
        {"attack": "fgsm", "eps": [0.05, 0.1]},
        {"attack": "pgd", "eps": [0.05], "steps": 2},
        {"attack": "pgd", "norm": "l2", "eps": 0.5},
    ]
    apart = finish(start(spec(models=["a"], attacks=unequal)))
    assert [group.title for group in apart.groups] == ["L∞ 0.05", "L∞ 0.1", "L2 0.5"]
    assert [len(group.columns) for group in apart.groups] == [2, 1, 1]
    joined = finish(start(spec(models=["a"], attacks=[{**each, "group": "all"} for each in unequal])))
    (group,) = joined.groups
    assert group.title == "all: L∞ 0.05 and L∞ 0.1 and L2 0.5"
    assert joined.worst("a", group).robust.hits <= min(joined.cell("a", column).robust.hits for column in group.columns)


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_attack_states_its_budget(slug: str) -> None:
    attack = CATALOGUE[slug].build()
    words = budget_of(attack)
    assert words
    if getattr(attack, "eps", None) is not None:
        assert format_number(attack.eps) in words
        assert "L" in words.split()[0]
    if isinstance(getattr(attack, "steps", None), int):
        assert f"{attack.steps:,} step" in words


def test_every_column_states_its_budget_in_its_header() -> None:
    listed = [{"attack": "fgsm", "eps": "8/255"}, {"attack": "pgd", "eps": ["8/255"], "steps": 3, "restarts": 2}, "deepfool"]
    results = finish(start(spec(models=["a"], attacks=listed, crafted_on=["itself", "b"])))
    assert len(results.columns) == 6
    for column in results.columns:
        assert column.budget in column.header
    headers = results.table().columns[2:]
    assert all("L∞ 8/255" in header or "least L2" in header for header in headers)
    assert "L∞ 8/255, 3 steps, 2 restarts" in " | ".join(headers)


def test_a_targeted_attack_succeeds_at_its_target_alone() -> None:
    results = finish(start(spec(models=["a"], attacks=[{"attack": "pgd", "eps": 0.05, "steps": 3, "aim": "next"}])))
    (column,) = results.columns
    verdicts = results.cell("a", column).verdicts
    assert torch.equal(verdicts.targets, (verdicts.labels + 1) % 5)
    expected = (verdicts.before == verdicts.labels) & (verdicts.after == verdicts.targets)
    assert torch.equal(verdicts.success, expected)
    assert "towards: next" in column.header


def test_a_checkpoint_is_loaded_with_its_options(tmp_path: Path) -> None:
    """A file without a card needs its architecture; rows that differ in it alone are two models."""
    from safetensors.torch import save_file

    weights = engine.models.load("digits", device="cpu").module.state_dict()
    path = tmp_path / "bare.safetensors"
    save_file(weights, path)
    options = [{"source": str(path), "architecture": each, "name": f"as {each}"} for each in ("digits", "objects")]
    table = spec(models=["digits", *options], data=["digits"], attacks=[{"attack": "fgsm", "eps": 0.1}])
    data = engine.data.load("generated:digits", count=10)
    results = finish(start(table, sets={"digits": data}, classifiers={}))
    shipped, right, wrong = (results.cell(row, results.columns[0]) for row in results.rows)
    assert shipped.facts["model"] == right.facts["model"]
    assert shipped.robust == right.robust
    assert wrong.error


def test_labels_are_matched_by_name() -> None:
    turned = engine.Classifier(nn.Sequential(small_network(), _Flip()), LABELS[::-1], (3, 8, 8), name="turned", device="cpu")
    results = finish(start(spec(), classifiers={"a": net(0), "b": turned}))
    (column,) = results.columns
    assert results.cell("a", column).robust == results.cell("b", column).robust


class _Flip(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits.flip(1)


def test_a_model_of_another_size_gets_the_images_through_a_resize() -> None:
    torch.manual_seed(2)
    large = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 5)), LABELS, (3, 16, 16), name="large", device="cpu")
    results = finish(start(spec(), classifiers={"a": net(0), "b": large}))
    (column,) = results.columns
    images, labels = drawn().batch(slice(None))
    assert results.cell("b", column).clean.hits == int((large.derive(size=8).predict(images) == labels).sum())


# ---------------------------------------------------------------------- the bits of an image


@pytest.mark.parametrize("keep", [0, 256], ids=["made again", "kept"])
@pytest.mark.parametrize("on_disk", [True, False], ids=["folder", "memory"])
def test_an_image_of_a_cell_is_replayed_with_the_same_bits(tmp_path: Path, keep: int, on_disk: bool) -> None:
    listed = [{"attack": "pgd", "norm": "l2", "eps": 0.4, "steps": 3}, {"attack": "deepfool", "steps": 3, "refine": 0}]
    table = spec(attacks=listed, crafted_on=["itself", "a"], keep_megabytes=keep, seed=5)
    results = finish(start(table, tmp_path if on_disk else None))
    assert bool(list(tmp_path.glob("images/*"))) == (on_disk and keep > 0)
    for column in results.columns:
        for row in ("a", "b"):
            cell = results.cell(row, column)
            for index in (3, 23):
                replay = cell.run(index)
                result = replay.result()
                assert torch.equal(result.adversarial[0], cell.adversarial(index))
                assert result.classifier.fingerprint == cell.facts["crafted on"]
                assert (replay.label, replay.seed) == (int(drawn().targets[index]), 5 + index)
                assert torch.equal(replay.image, drawn().batch([index])[0][0])
                assert cell.name(index) == f"set[{index}]"
                if column.place == "itself":
                    assert int(result.prediction[0]) == int(cell.verdicts.after[index])


def test_an_image_that_was_attacked_alone_is_replayed_alone() -> None:
    results = finish(start(spec(models=["a"], attacks=[{"attack": "pgd", "norm": "l2", "eps": 0.4, "steps": 4}], together=1)))
    cell = results.cell("a", results.columns[0])
    replay = cell.run(9)
    assert replay.exact_alone
    alone = engine.run(replay.posed.variant.attack, net(0), replay.image[None], torch.tensor([replay.label]), seed=replay.seed)
    assert torch.equal(alone.adversarial[0], cell.adversarial(9))


def test_an_image_that_cannot_be_made_again_is_refused() -> None:
    model = net(0)
    results = finish(start(spec(models=["a"], keep_megabytes=0), classifiers={"a": model}))
    cell = results.cell("a", results.columns[0])
    with torch.no_grad():
        model.module.head.weight.neg_()  # the weights are other ones now
    with pytest.raises(engine.GibbonError, match="is not the one that the table was made with"):
        cell.adversarial(0)
    with pytest.raises(engine.GibbonError, match="There is no image 24"):
        cell.run(24)


# ---------------------------------------------------------------------- kept cells

TWO = [{"attack": "fgsm", "eps": [0.05, 0.1]}, {"attack": "pgd", "eps": [0.1], "steps": 3}]


def test_a_table_that_was_cancelled_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = finish(start(spec(attacks=TWO)))
    run = start(spec(attacks=TWO), tmp_path)
    for step in run:
        assert 0 <= step.share_done <= 1
        if step.index == 3:
            break
    run.close()
    part = run.result()
    assert (str(part.reason), part.done, len(part.cells)) == ("cancelled", False, 3)
    assert part.table().rows  # it can be shown as it is
    with pytest.raises(engine.GibbonError, match="3 finished cells of this table"):
        start(spec(attacks=TWO), tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*")}
    resumed = start(spec(attacks=TWO), tmp_path, resume=True)
    results = finish(resumed)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # finished cells were not computed again
    assert plain(results) == plain(whole)
    assert torch.equal(
        results.cell("a", results.columns[0]).adversarial(4),
        whole.cell("a", whole.columns[0]).adversarial(4),
    )


def _killed(folder: Path) -> None:
    for place, _ in enumerate(start(spec(attacks=TWO), folder)):
        if place == 30:
            os._exit(9)  # in the middle of an attack, with no chance to tidy up


def test_a_table_that_was_killed_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.safetensors")}
    assert 0 < len(kept) < 6
    results, whole = finish(start(spec(attacks=TWO), tmp_path, resume=True)), finish(start(spec(attacks=TWO)))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert plain(results) == plain(whole)
    for column in whole.columns:
        one, other = results.cell("b", column), whole.cell("b", column)
        assert one.digests == other.digests
        assert torch.equal(one.adversarial(7), other.adversarial(7))


def test_progress_ends_at_one_and_the_time_left_at_zero() -> None:
    steps = list(start(spec(attacks=TWO)))
    shares = [step.share_done for step in steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert steps[0].seconds_left is None
    assert steps[-1].seconds_left == 0
    assert [step.index for step in steps][-1] == steps[-1].total == 6


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"attacks": [{"attack": "pgd", "eps": 0.1, "steps": 4}]}, "steps is 3 there and 4 here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"together": 5}, "together is 10 there and 5 here"),
        ({"attacks": [{"attack": "pgd", "eps": 0.1, "steps": 3, "aim": "random"}]}, "aim is “away” there and “random” here"),
    ],
    ids=["steps", "seed", "together", "aim"],
)
def test_kept_cells_of_another_table_are_refused_with_the_difference_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    first = spec(attacks=[{"attack": "pgd", "eps": 0.1, "steps": 3}])
    finish(start(first, tmp_path))
    with pytest.raises(engine.GibbonError, match=named):
        finish(start(TableSpec(**{**first.model_dump(), **changes}), tmp_path, resume=True))


def test_kept_cells_of_other_weights_or_images_are_refused(tmp_path: Path) -> None:
    finish(start(spec(), tmp_path))
    with pytest.raises(engine.GibbonError, match=r"“b” under “FGSM, L∞ 0.1”.* crafted on is .*; model is "):
        finish(start(spec(), tmp_path, resume=True, classifiers={"a": net(0), "b": net(2)}))
    with pytest.raises(engine.GibbonError, match="hash of the images is"):
        finish(start(spec(), tmp_path, resume=True, sets={"set": drawn().subset(range(23, -1, -1))}))
    with pytest.raises(engine.GibbonError, match="count of images is 24 there and 20 here"):
        finish(start(spec(), tmp_path, resume=True, sets={"set": drawn().subset(range(20))}))


def test_a_table_grows_in_its_folder(tmp_path: Path) -> None:
    finish(start(spec(models=["a"]), tmp_path))
    results = finish(start(spec(attacks=TWO), tmp_path, resume=True))
    assert plain(results) == plain(finish(start(spec(attacks=TWO))))


@pytest.mark.parametrize(
    "changes",
    [{"attacks": [{"attack": "pgd", "eps": 0.1, "steps": 4}, {"attack": "fgsm", "eps": 0.1}]}, {"seed": 1}, {"together": 5}],
)
def test_kept_cells_of_another_table_are_computed_again_where_that_is_wanted(tmp_path: Path, changes: dict[str, Any]) -> None:
    first = spec(attacks=[{"attack": "pgd", "eps": 0.1, "steps": 3}, {"attack": "fgsm", "eps": 0.1}])
    finish(start(first, tmp_path))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*")}
    (damaged,) = tmp_path.glob("cells/a--set--itself--FGSM*")
    damaged.write_bytes(b"nothing")
    other = TableSpec(**{**first.model_dump(), **changes})
    results = finish(start(other, tmp_path, resume=True, renew=True))
    assert plain(results) == plain(finish(start(other)))
    same = {path for path, when in kept.items() if path.stat().st_mtime_ns == when}
    assert len(same) == (1 if "attacks" in changes else 0)  # FGSM on b is as it was, and was not computed again


@pytest.mark.parametrize("together", [1, 10])
@pytest.mark.parametrize("aim", ["away", "random"])
def test_an_image_of_a_cell_opens_as_a_row_with_the_same_bits_and_a_timeline(tmp_path: Path, together: int, aim: str) -> None:
    attack = {"attack": "pgd", "eps": 0.1, "steps": 3, "aim": aim, "random_start": True}
    results = finish(start(spec(attacks=[attack], together=together, crafted_on=["itself", "a"]), tmp_path))
    for column in results.columns:
        cell = results.cell("b", column)
        batch, row = cell.row(13)
        assert batch.classifier.fingerprint == cell.facts["crafted on"]
        again = RowRun(batch, row)
        for _ in again:
            pass
        opened = again.result()
        assert opened.same
        assert torch.equal(opened.result.adversarial[0].cpu(), cell.adversarial(13))
        assert len(opened.timeline.steps) == 4
        assert (row.name, row.target is None) == (cell.name(13), aim == "away")


def test_an_image_that_was_not_kept_or_has_changed_is_not_shown_as_the_cells(tmp_path: Path) -> None:
    cell = next(iter(finish(start(spec(attacks=["fgsm"]), tmp_path)).cells.values()))
    assert torch.equal(cell.kept(5), cell.adversarial(5))
    assert replace(cell, digests=("other",) * len(cell.digests)).kept(5) is None
    for file in tmp_path.glob("images/*"):
        file.unlink()
    assert cell.kept(5) is None


def test_a_damaged_cell_is_named(tmp_path: Path) -> None:
    finish(start(spec(), tmp_path))
    next(iter(sorted(tmp_path.glob("cells/*")))).write_bytes(b"nothing")
    with pytest.raises(engine.GibbonError, match="is no cell of a table: delete it"):
        finish(start(spec(), tmp_path, resume=True))


# ---------------------------------------------------------------------- errors stay in their cells


def test_a_cell_that_fails_leaves_the_others(tmp_path: Path) -> None:
    torch.manual_seed(3)
    animals = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), list("vwxyz"), (3, 8, 8), name="animals", device="cpu")
    models = {"a": net(0), "b": net(1), "animals": animals, "grey": linear_classifier(5, (1, 8, 8))}
    damaged = tmp_path / "damaged.safetensors"  # only loading tells that it holds no weights
    damaged.write_bytes(b"no weights")
    table = spec(models=["a", "animals", "grey", str(damaged)], attacks=["fgsm", "universal"], crafted_on=["itself", "a"])
    good = finish(start(spec(models=["a"], attacks=["fgsm"], crafted_on=["itself", "a"])))
    results = finish(start(table, tmp_path / "made", classifiers=models))
    assert str(results.reason) == "finished"
    assert results.done
    for column in results.columns:
        universal = column.variant.attack.slug == "universal"
        assert "“animals” has no class “class 0”" in results.cell("animals", column).error
        assert "takes grey images, “set” has colour images" in results.cell("grey", column).error
        assert "damaged.safetensors" in results.cell(str(damaged), column).error
        assert bool(results.cell("a", column).error) == universal
        if not universal:
            same = next(other for other in good.columns if other.place == column.place)
            assert results.cell("a", column).robust == good.cell("a", same).robust
    assert len(list(tmp_path.glob("made/cells/*"))) == 2  # cells with an error are tried again
    said = results.faults()
    assert len(said) == len(set(said)) == len({cell.error for cell in results.errors})
    for model in ("animals", "grey"):  # two attacks in two places
        (sentence,) = (sentence for sentence in said if sentence.startswith(f"4 cells of “{model}”: "))
        assert sentence.endswith(results.cell(model, results.columns[0]).error)
    assert results.sentences()[-len(said) :] == said
    with pytest.raises(engine.GibbonError, match="This cell has no images"):
        results.cell("animals", results.columns[0]).run(0)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"models": ["digts"]}, ["There is no model “digts”. Did you mean digits?"]),
        ({"models": ["Sings", "a"]}, ["There is no model “Sings”. Did you mean signs?"]),
        ({"models": ["zzzzzz"]}, ["There is no model “zzzzzz”. Shipped are "]),
        ({"models": ["torchvision:resnt18"]}, ["no classification model “resnt18”. Did you mean resnet18"]),
        ({"models": ["nowhere.pt"]}, ["There is no file “nowhere.pt”"]),
        ({"models": ["nowhere.py:make"]}, ["There is no file “nowhere.py”"]),
        ({"models": ["a + jpg"]}, ["There is no preprocessing “jpg”. Did you mean “jpeg”?"]),
        ({"models": ["a", "a + jpeg qualty=30"]}, ["JPEG has no parameter “qualty”. Did you mean quality?"]),
        ({"models": [{"source": "a", "defense": "bit-depth bits=0"}]}, ["bits: 0 is too small"]),
        ({"data": ["imagenet"]}, ["There is no data set “imagenet”. Use one of mnist, "]),
        ({"data": ["MINST:train"]}, ["There is no data set “MINST”. Did you mean mnist?"]),
        ({"data": ["generated:sgins"]}, ["There is no data set “generated:sgins”. Did you mean generated:signs?"]),
        ({"data": ["digist"]}, ["There is no data set “digist”. Did you mean generated:digits?"]),
        ({"data": ["generated:cats"]}, ["There is no data set “generated:cats”. Use one of generated:signs, generated:digits"]),
        ({"data": ["generated:signs:train"]}, ["one set without a “train” part"]),
        ({"data": ["folder:nowhere"]}, ["“nowhere” does not exist"]),
        ({"data": ["set", "cifar10"]}, ["CIFAR-10"]),
        ({"crafted_on": ["nobody"]}, ["crafted_on has “nobody”", "Write itself, undefended, or the name or source of a model."]),
        ({"models": [{"source": "digits", "architecture": "digts"}]}, ["There is no architecture “digts”. Did you mean digits?"]),
        ({"models": [{"source": "a.pt", "architecture": "zzzzzz"}]}, ["There is no architecture “zzzzzz”. Choose "]),
        ({"models": [{"source": "a.pt", "architecture": "torchvision:resnt18"}]}, ["“resnt18”. Did you mean resnet18"]),
        ({"models": [{"source": "a.pt", "activation": "bonded"}]}, ["There is no activation “bonded”. Did you mean bounded?"]),
        ({"models": [{"source": "digits", "architecture": "signs"}]}, ["has architecture “digits", "not “signs”"]),
        ({"models": [{"source": "torchvision:resnet18", "architecture": "digits"}]}, ["brings its own architecture"]),
        ({"crafted_on": ["itslf"]}, ["Did you mean itself?"]),
        ({"models": [{"source": "a", "name": "the first"}], "crafted_on": ["the frist"]}, ["Did you mean the first?"]),
        ({"crafted_on": ["b + medain"]}, ["There is no preprocessing “medain”. Did you mean “median”?"]),
        ({"models": ["digts", "digts + jpeg"], "crafted_on": ["digts", "itself"], "data": ["set", "mnsit"]}, ["“digts”", "“mnsit”"]),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_a_name_that_nothing_has_is_refused_once_before_anything_is_made(
    changes: dict[str, Any], sentences: list[str], tmp_path: Path
) -> None:
    with pytest.raises(engine.GibbonError) as caught:
        start(spec(**changes), tmp_path / "made", root=tmp_path)
    for sentence in sentences:
        assert str(caught.value).count(sentence) == 1
    assert list(tmp_path.iterdir()) == []


def test_names_of_what_is_given_or_there_are_no_faults(tmp_path: Path) -> None:
    code = tmp_path / "own.py"
    code.write_text("raise SystemExit  # never run here", encoding="utf-8")
    given = {"classifiers": ["a", "b"], "sets": ["set"]}
    rows = ["a", "b + jpeg quality=30", "digits", "signs + median", f"{code}:make", {"source": "a", "name": "ours"}]
    places = ["itself", "undefended", "ours", "b", "signs + jpeg", "digits-bounded", "b + jpeg quality=30"]
    check_names(spec(models=rows, crafted_on=places, data=["set", "generated:digits", f"folder:{tmp_path}"]), **given)
    with pytest.raises(engine.GibbonError, match="There is no model “a”"):
        check_names(spec(), sets=["set"])
    check_names(spec(models=["anything"], crafted_on=["whatever"]), sets=["set"], own_loader=True)


def test_memory_that_runs_out_is_said_in_the_cell() -> None:
    class Greedy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.full = small_network(), False

        def forward(self, x: Tensor) -> Tensor:
            if self.full:
                raise torch.OutOfMemoryError("out of memory")
            return self.inner(x)

    greedy = engine.Classifier(Greedy(), LABELS, (3, 8, 8), name="greedy", device="cpu")
    greedy.module.full = True
    results = finish(start(spec(), classifiers={"a": net(0), "b": greedy}))
    (column,) = results.columns
    assert "needs more memory than the device has" in results.cell("b", column).error
    assert results.cell("a", column).robust.of == 24


def test_images_for_which_the_model_gives_nan_are_in_no_share() -> None:
    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small_network()

        def forward(self, x: Tensor) -> Tensor:
            return torch.where(x[:, 0, 0, :1] == 1, torch.nan, self.inner(x))

    data = drawn()
    broken = torch.arange(24) % 5 == 2
    data.images[broken, 0, 0, 0] = 255
    model = engine.Classifier(Breaks(), LABELS, (3, 8, 8), name="breaks", device="cpu")
    table = spec(models=["a"], attacks=[{"attack": "fgsm", "eps": 0.05}])
    results = finish(start(table, classifiers={"a": model}, sets={"set": data}))
    cell = results.cell("a", results.columns[0])
    assert 0 < int(broken.sum()) < 24
    assert cell.robust.of == 24 - int(broken.sum())
    assert not bool((cell.verdicts.success & broken).any())
    assert any("attack error" in sentence for sentence in results.sentences())


# ---------------------------------------------------------------------- the specification


def test_a_specification_is_written_and_read_back(tmp_path: Path) -> None:
    listed = [{"attack": "pgd", "eps": ["8/255", 0.3], "steps": 7, "random_start": False, "group": "a “b”"}, "deepfool"]
    given = spec(
        title="T",
        models=["signs", {"source": "digits", "name": "D"}],
        attacks=listed,
        data=[{"name": "mnist:test", "count": 5, "seed": 2}, "gtsrb"],
    )
    (tmp_path / "t.toml").write_text(spec_toml(given), encoding="utf-8")
    assert read_spec(tmp_path / "t.toml") == given
    assert given.attacks[0].variants()[0].attack == attacks.PGD(eps=8 / 255, steps=7, random_start=False)


def test_an_attack_that_is_built_already_becomes_an_entry() -> None:
    attack = attacks.PGD(norm="l2", eps=0.7, steps=3)
    (variant,) = TableAttack.of(attack).variants()
    assert variant.attack == attack


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"attacks": ["pgdd"]}, "There is no attack “pgdd”. Did you mean pgd[?]$"),
        ({"attacks": [{"attack": "FGSMM"}]}, "There is no attack “FGSMM”. Did you mean fgsm[?]$"),
        ({"attacks": ["xxxxxx"]}, "There is no attack “xxxxxx”. There are: adversarial-patch, apgd"),
        ({"attacks": [{"attack": "pgd", "gruop": "g"}]}, "no “gruop”. Did you mean group[?]"),
        ({"attacks": [{"atack": "pgd"}]}, "no “atack”. Did you mean attack[?]"),
        ({"attacks": [{"attack": "pgd", "stepz": 3}]}, "no parameter “stepz”. Did you mean steps?"),
        ({"attacks": [{"attack": "deepfool", "eps": 0.1}]}, "DeepFool has no eps"),
        ({"attacks": ["fooling"]}, "grows its images from noise"),
        ({"attacks": [{"attack": "noise", "aim": "nearest"}]}, "“nearest” is none of away, random, next, least likely"),
        ({"attacks": [{"attack": "pgd", "eps": 8}]}, "more than the whole range"),
        ({"attacks": ["pgd", "pgd"]}, "Two attacks have the name and eps “PGD, L∞ 8/255”"),
        ({"models": ["a", "a"]}, "Two models have the name “a”"),
        ({"models": []}, "models: the list is empty, but the least is 1 entry"),
        ({"data": []}, "data: the list is empty, but the least is 1 entry"),
        ({"models": "digits"}, "models: “digits” is no list"),
        ({"models": [""]}, "models.0.source: the text is too short. The least is 1 letter"),
        ({"titel": "x"}, "titel: it is not known here. Did you mean title[?]"),
        ({"data": [{"name": "set", "cuont": 3}]}, "data.0.cuont: it is not known here. Did you mean count[?]"),
        ({"data": [{"nmae": "set"}]}, "data.0.nmae: it is not known here. Did you mean name[?]"),
        ({"models": [{"source": "a", "defence": "jpeg"}]}, "models.0.defence: it is not known here. Did you mean defense[?]"),
        ({"data": ["set", "set"]}, "“set” stands twice"),
        ({"seed": -1}, "seed: -1 is too small"),
        ({"zzz": 1}, "zzz: it is not known here. There are: title, models, attacks, data, crafted_on"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:20],
)
def test_a_specification_that_does_not_fit_is_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(engine.GibbonError, match=sentence):
        spec(**changes)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("models = [", encoding="utf-8")
    with pytest.raises(engine.GibbonError, match=r"“t.toml” is no TOML"):
        read_spec(tmp_path / "t.toml")


# ---------------------------------------------------------------------- processes that share a table


def _one_of_two(rank: int, folder: Path, own: bool) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    assert own_share().size == 2
    run = start(spec(attacks=TWO, crafted_on=["itself", "a"]), folder / (f"of {rank}" if own else "of both"), resume=own and rank == 1)
    results = finish(run)
    (folder / f"{rank}.json").write_text(plain(results), encoding="utf-8")
    torch.save(results.cell("b", results.columns[0]).adversarial(2), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("own", [False, True], ids=["one folder", "a folder each"])
def test_two_processes_give_the_same_table_as_one(tmp_path: Path, own: bool) -> None:
    """With a folder each, as on hosts that share no disk, one of the two has kept some cells of an earlier run."""
    table = spec(attacks=TWO, crafted_on=["itself", "a"])
    whole = finish(start(table))
    if own:
        finish(start(spec(attacks=TWO[:1]), tmp_path / "of 1"))
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=_one_of_two, args=(rank, tmp_path, own)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "0.json").read_text() == (tmp_path / "1.json").read_text() == plain(whole)
    expected = whole.cell("b", whole.columns[0]).adversarial(2)
    for rank in range(2):
        assert torch.equal(torch.load(tmp_path / f"{rank}.pt"), expected)
    made = [len(list(folder.glob("cells/*"))) for folder in sorted(tmp_path.glob("of *"))]
    assert sum(made) == 12  # each cell once, wherever it was computed


def test_the_work_is_divided(tmp_path: Path) -> None:
    """Each of two processes, without the other, makes its own half, and together they make every cell once."""
    from engine.defenses.training.sharing import Share

    class Alone(Share):
        def all_of(self, value: Any) -> list[Any]:
            return [value]

    table = spec(attacks=TWO)
    parts = [set(finish(start(table, share=Alone(rank, 2))).cells) for rank in range(2)]
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 6
    assert min(map(len, parts)) == 3


def test_the_longest_attacks_are_divided_first() -> None:
    from engine.evaluate.tables.plan import crafts_of, divided

    listed = [{"attack": "fgsm", "eps": [0.01, 0.02, 0.03]}, {"attack": "pgd", "steps": 12, "eps": 0.1}]
    crafts = crafts_of(spec(attacks=listed))
    parts = divided(crafts, 2)
    assert sorted((craft for part in parts for craft in part), key=crafts.index) == list(crafts)
    loads = [sum(craft.work for craft in part) for part in parts]
    assert loads[0] == loads[1]  # a PGD each, and three FGSM each
    assert divided(crafts, 99)[98] == []


def test_columns_are_values() -> None:
    results = start(spec()).result()
    assert isinstance(results.columns[0], Column)
    assert results.table().rows[0][0] == "a"  # a table without a single cell can be shown


def test_a_model_without_a_defense_stands_once_for_both_attackers() -> None:
    table = spec(
        models=["a", "b", "b + bit-depth bits=2"], attacks=[{"attack": "fgsm", "eps": 0.1}, {"attack": "pgd", "eps": 0.1, "steps": 2}]
    )
    with start(table) as run:
        for _ in run:
            pass
    results = run.result()
    assert results.done
    assert results.total == len(results.cells) == 3 * 2 + 2
    lines = results.data().rows
    assert len(lines) == len(set(lines))
    places = [(line[1], line[5]) for line in lines if line[0] == "cell"]
    assert set(places) == {("a", "itself"), ("b", "itself"), ("b + bit-depth bits=2", "itself"), ("b + bit-depth bits=2", "undefended")}
    undefended = next(group for group in results.groups if group.columns[0].place == "undefended")
    assert not results.counts("a", undefended.columns[0])
    assert results.counts("b + bit-depth bits=2", undefended.columns[0])
    assert any("stands once for both attackers" in sentence for sentence in results.sentences())
    assert results.upright().rows[-1][4:6] == ("–", "–")


def test_undefended_alone_and_transfer_keep_their_rows() -> None:
    """Where the white box has no column, the undefended one is the number of a model without a defense; a transfer matrix is whole."""
    for places, cells in (["undefended"], 2), (["itself", "b"], 4), (["itself", "undefended"], 2):
        with start(spec(crafted_on=places)) as run:
            for _ in run:
                pass
        results = run.result()
        assert results.done
        assert len(results.cells) == results.total == cells
        assert len([line for line in results.data().rows if line[0] == "cell"]) == cells


def test_images_for_which_no_model_has_a_verdict_are_not_kept(tmp_path: Path) -> None:
    other = engine.Classifier(small_network(), [f"other {i}" for i in range(5)], (3, 8, 8), name="other", device="cpu")
    table = spec(models=["b"], crafted_on=["a"])
    with start(table, tmp_path, classifiers={"a": net(), "b": other}) as run:
        for _ in run:
            pass
    assert run.result().errors
    assert list(tmp_path.rglob("*.safetensors")) == []
