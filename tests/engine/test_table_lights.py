"""Trust lights that tables, curves and batches of images decide from their own numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.data import DataSet
from engine.evaluate.batch import attack_images, from_data
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.tables import TableResults, TableSpec, evaluate_table
from engine.evaluate.trust import MARK, SIGNS, Outcome, lights_among
from engine.operation import Attack
from engine.record import curve_record, table_record
from tests.engine.test_trust import Answer, at, barrier, dead_end, island, low_threshold, network, rounded, smooth

COUNT = 8


def images(brightness: float, classes: int = 2) -> DataSet:
    names = tuple(f"class {n}" for n in range(classes))
    return DataSet("set", names, (255 * at(brightness, COUNT)).round().byte(), torch.zeros(COUNT, dtype=torch.long), "drawn here")


def table(
    answers: dict[str, Answer], brightness: float, listed: list[dict[str, Any]], *, folder: Path | None = None, **more: Any
) -> TableResults:
    classes = 3 if dead_end in answers.values() else 2
    spec = TableSpec(models=list(answers), data=["set"], attacks=listed, **more)
    loaded = {name: network(answer, classes) for name, answer in answers.items()}
    with evaluate_table(spec, folder, classifiers=loaded, sets={"set": images(brightness, classes)}) as run:
        for _ in run:
            pass
        return run.result()


def on(results: TableResults, row: str) -> set[tuple[str, str]]:
    return {(each.key.attack, each.light.sign.slug) for each in results.lights.all if each.light.on and each.key.model == row}


PGD, FGSM = {"attack": "pgd", "eps": 0.1, "random_start": False}, {"attack": "fgsm", "eps": 0.1}
ON: list[tuple[str, Answer, float, list[dict[str, Any]], str]] = [
    ("one-step-beats-many", barrier, 0.4, [FGSM, PGD], "PGD, L∞ 0.1"),
    ("search-beats-gradients", rounded, 0.4, [{"attack": "square", "eps": 0.5}, {**PGD, "eps": 0.5}], "PGD, L∞ 0.5"),
    ("more-eps-less-success", island, 0.4, [{**PGD, "eps": [0.1, 0.05], "steps": 12}], "PGD, L∞ 0.1"),
    ("no-limit-no-success", rounded, 0.1, [{**PGD, "eps": 1}], "PGD, L∞ 1"),
    ("unbounded-fails", rounded, 0.1, [{**PGD, "norm": "l2", "eps": 8}], "PGD, L2 8"),
    ("unbounded-fails", rounded, 0.1, [{"attack": "ddn", "steps": 5}], "DDN, least L2"),
    (
        "steps-matter",
        smooth,
        0.4,
        [{**PGD, "eps": 0.2, "steps": 5, "step_size": 0.02, "name": "5"}, {**PGD, "eps": 0.2, "steps": 20, "name": "20"}],
        "5, L∞ 0.2",
    ),
    ("loss-matters", dead_end, 0.4, [{**PGD, "name": "ce"}, {**PGD, "loss": "margin", "name": "margin"}], "margin, L∞ 0.1"),
    ("unfinished", smooth, 0.4, [{**PGD, "steps": 30, "step_size": 0.001}], "PGD, L∞ 0.1"),
]


@pytest.mark.parametrize(("slug", "answer", "brightness", "listed", "where"), ON, ids=[f"{each[0]}-{each[4]}" for each in ON])
def test_a_table_turns_on_the_light_of_the_number_that_cannot_be_trusted(
    slug: str, answer: Answer, brightness: float, listed: list[dict[str, Any]], where: str
) -> None:
    """The smooth network beside it, under the same attacks, turns no light of masking on."""
    results = table({"odd": answer}, brightness, listed)
    assert (where, slug) in on(results, "odd")
    assert any(SIGNS[slug].title in sentence and SIGNS[slug].cure in sentence for sentence in results.sentences())
    marked = [row for row in results.upright().rows if any(str(cell).endswith((MARK, f"{MARK}*")) for cell in row)]
    assert where.split(", ")[0] in {row[0] for row in marked}
    assert {row[0] for row in marked} <= {each.key.attack.split(",")[0] for each in results.lights.all if each.light.on} | {"worst case"}


@pytest.mark.parametrize("listed", [each[3] for each in ON if each[0] not in ("steps-matter", "unfinished")])
def test_a_smooth_network_turns_no_light_of_masking_on(listed: list[dict[str, Any]]) -> None:
    found = table({"sound": smooth}, 0.4, listed)
    assert on(found, "sound") == set()
    assert not any(MARK in str(cell) for row in (*found.table().rows, *found.upright().rows) for cell in row)
    assert not any(MARK in sentence for sentence in found.sentences())


def test_transfer_beats_the_white_box_of_a_network_that_hides_its_gradient_and_of_no_other() -> None:
    found = table({"odd": rounded, "sound": smooth}, 0.4, [{**PGD, "eps": 0.5}, {**FGSM, "eps": 0.5}], crafted_on=["itself", "sound"])
    assert ("PGD, L∞ 0.5", "transfer-beats-white-box") in on(found, "odd")
    assert ("FGSM, L∞ 0.5", "transfer-beats-white-box") in on(found, "odd")
    assert on(found, "sound") == set()
    marks = {each.key.place for each in found.lights.all if each.light.on}
    assert marks == {"itself"}  # the number of the transfer is not the one that is too good


def test_a_place_that_names_the_row_itself_is_a_white_box() -> None:
    found = table({"odd": barrier}, 0.4, [FGSM, PGD], crafted_on=["odd"])
    assert ("PGD, L∞ 0.1", "one-step-beats-many") in on(found, "odd")


def test_attacks_of_other_budgets_and_aims_are_not_compared() -> None:
    apart = [{**FGSM, "eps": 0.2}, PGD]
    assert on(table({"odd": barrier}, 0.4, apart), "odd") == set()
    assert on(table({"odd": barrier}, 0.4, [{**FGSM, "aim": "next"}, PGD]), "odd") == set()
    assert on(table({"odd": barrier}, 0.4, [{**FGSM, "norm": "l2"}, PGD]), "odd") == set()
    assert ("PGD, L∞ 0.1", "one-step-beats-many") in on(
        table({"odd": barrier}, 0.4, [{**FGSM, "group": "a"}, {**PGD, "group": "b"}]), "odd"
    )


def test_random_noise_that_beats_the_gradient_turns_the_light_of_the_search_on() -> None:
    """By hand: of k images that only the noise fools, Wilson's lower end is above 1/2 from k = 4 on."""
    rows = torch.arange(20)
    for extra, state in ((3, "off"), (4, "on")):
        outcome = Outcome("PGD", attacks.PGD(), rows < 0, rows >= 0, noise=rows < extra)
        lights = {light.sign.slug: light for light in lights_among([outcome])[0]}
        assert lights["search-beats-gradients"].state == state
        assert "random noise as large" in lights["search-beats-gradients"].figures


def test_a_search_that_beats_one_step_is_no_sign_but_one_that_beats_many_is() -> None:
    every, none = torch.ones(COUNT, dtype=torch.bool), torch.zeros(COUNT, dtype=torch.bool)
    search = Outcome("Square", attacks.Square(eps=0.1), every, every)
    for attack, expected in ((attacks.FGSM(eps=0.1), set()), (attacks.PGD(eps=0.1), {"search-beats-gradients"})):
        lights, _ = lights_among([Outcome("it", attack, none, every), search])
        assert {light.sign.slug for light in lights if light.on} == expected


def test_the_worst_case_is_marked_only_where_no_attack_of_many_steps_can_be_trusted() -> None:
    unfinished = {**PGD, "steps": 30, "step_size": 0.001, "name": "small steps"}
    cut = table({"odd": smooth}, 0.4, [unfinished, FGSM])
    (group,) = cut.groups
    assert {light.sign.slug for light in cut.seen_in_worst("odd", group)} >= {"unfinished"}
    assert str(dict(zip(cut.table().columns, cut.table().rows[0], strict=True))[", ".join(("worst case", *group.header))]).endswith(MARK)
    beside = table({"odd": smooth}, 0.4, [unfinished, FGSM, {**PGD, "steps": 19}])
    (group,) = beside.groups
    assert beside.seen("odd", *group.columns)
    assert not beside.seen("odd", group.columns[2])
    assert not beside.seen_in_worst("odd", group)
    fallen = table({"odd": smooth}, 0.4, [{**each, "eps": 0.3} for each in (unfinished, FGSM)])
    (group,) = fallen.groups
    assert fallen.worst("odd", group).robust.hits == 0
    assert fallen.seen("odd", *group.columns)
    assert not fallen.seen_in_worst("odd", group)


def test_images_that_are_misread_anyway_decide_nothing() -> None:
    rows = torch.arange(20)
    none = Outcome("PGD", attacks.PGD(eps=1), rows < 0, rows < 0)
    assert lights_among([none, Outcome("FGSM", attacks.FGSM(eps=1), rows >= 0, rows >= 0)])[0] == ()


@pytest.mark.parametrize("slug", sorted(attacks.CATALOGUE))
def test_only_an_attack_that_nothing_limits_promises_success(slug: str) -> None:
    """A few pixels, a sticker, an eps below 1: that such an attack fails is no sign against its gradient."""
    cls = attacks.CATALOGUE[slug]
    limited = {"fgsm", "rand-fgsm", "pgd", "mi-fgsm", "apgd", "square", "noise", "one-pixel", "one-pixel-map", "jsma", "sticker"}
    if slug not in limited | {"deepfool", "cw-l2", "cw-linf", "cw-l0", "ddn", "fmn", "hop-skip-jump"}:
        return
    rows = torch.arange(20)
    found = {light.sign.slug for light in lights_among([Outcome(slug, cls(), rows < 0, rows >= 0)], 64)[0] if light.on}
    assert ("unbounded-fails" in found) == (slug not in limited)


def test_an_attack_on_a_part_of_the_image_promises_no_success() -> None:
    rows = torch.arange(20)
    whole, part = (Outcome("PGD", attacks.PGD(eps=1), rows < 0, rows >= 0, part_only=part) for part in (False, True))
    assert any(light.on for light in lights_among([whole])[0])
    assert lights_among([part])[0] == ()


def test_a_table_keeps_its_lights_in_record_and_cells(tmp_path: Path) -> None:
    listed = [FGSM, PGD, {**PGD, "name": "short", "steps": 30, "step_size": 0.001}]
    first = table({"odd": barrier}, 0.4, listed, folder=tmp_path)
    record = json.loads(json.dumps(table_record(first)))
    seen = {(light["attack"], light["light"]) for light in record["lights"] if light["state"] == "on"}
    assert ("PGD, L∞ 0.1", "one-step-beats-many") in seen
    assert seen == on(first, "odd")
    numbers = first.data()
    for row in numbers.rows:
        cells = dict(zip(numbers.columns, row, strict=True))
        if cells["kind"] == "cell":
            own = {slug for attack, slug in seen if attack.split(",")[0] == cells["attack"]}
            assert set((cells["trust_lights_on"] or "").split()) == own
    spec = first.spec
    with evaluate_table(spec, tmp_path, resume=True, classifiers={"odd": network(barrier)}, sets={"set": images(0.4)}) as run:
        assert list(run)
        again = run.result()
    assert again.lights.all == first.lights.all


def test_cells_of_an_earlier_version_are_used_and_the_table_says_what_they_lack(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    first = table({"odd": barrier}, 0.4, [PGD], folder=tmp_path)
    (kept,) = (tmp_path / "cells").iterdir()
    with safe_open(kept, "pt") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys() if name not in ("silent", "unfinished")}  # noqa: SIM118
    save_file(tensors, kept, about)
    with evaluate_table(first.spec, tmp_path, resume=True, classifiers={"odd": network(barrier)}, sets={"set": images(0.4)}) as run:
        assert list(run)
        again = run.result()
    assert again.cell("odd", again.columns[0]).robust == first.cell("odd", first.columns[0]).robust  # type: ignore[union-attr]
    assert "unfinished" not in {each.light.sign.slug for each in again.lights.all}
    assert any("kept by an earlier version" in sentence for sentence in again.sentences())
    assert not any("kept by an earlier version" in sentence for sentence in first.sentences())


# ---------------------------------------------------------------- top 5


@pytest.mark.parametrize("classes", [10, 11, 43])
def test_top_5_stands_beside_top_1_above_ten_classes(classes: int) -> None:
    """Counted anew from logits that the test computes itself by sorting."""

    def drawn(x: Tensor) -> Tensor:
        weights = torch.rand(64, classes, generator=torch.Generator().manual_seed(1)) - 0.5
        return 3 * (x.flatten(1) @ weights)

    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (30, 1, 8, 8), generator=random, dtype=torch.uint8)
    labels = torch.randint(classes, (30,), generator=random)
    names = tuple(f"class {n}" for n in range(classes))
    spec = TableSpec(models=["a"], data=["set"], attacks=[{"attack": "fgsm", "eps": 0.05}, {"attack": "pgd", "eps": 0.05, "steps": 3}])
    model = network(drawn, classes)
    with evaluate_table(spec, classifiers={"a": model}, sets={"set": DataSet("set", names, pixels, labels, "drawn here")}) as run:
        assert list(run)
        results = run.result()
    cell = results.cell("a", results.columns[0])
    assert cell is not None
    text = results.upright().rows
    if classes == 10:
        assert not cell.has_top5
        assert not any("top 5" in str(each) for row in text for each in row)
        return
    attacked = torch.stack([cell.adversarial(index) for index in range(30)])
    orders = [model.score(shown).argsort(1, descending=True)[:, :5].tolist() for shown in (pixels.float() / 255, attacked)]
    before, after = ([label in row for row, label in zip(order, labels.tolist(), strict=True)] for order in orders)
    both = [first and second for first, second in zip(before, after, strict=True)]
    assert (cell.clean_top5.hits, cell.robust_top5.hits) == (sum(before), sum(both))
    assert cell.robust_top5.hits >= cell.robust.hits
    assert cell.clean_top5.of == 30
    (group,) = results.groups
    worst = results.worst("a", group)
    assert worst.top5.hits <= min(results.cell("a", column).robust_top5.hits for column in results.columns)  # type: ignore[union-attr]
    assert all("top 5" in row[-1] for row in text if "noise" not in row[0])
    numbers = results.data()
    assert dict(zip(numbers.columns, numbers.rows[0], strict=True))["robust_top5_hits"] == sum(both)


def test_ties_are_broken_as_in_the_prediction() -> None:
    from engine.evaluate.tables.crafting import in_top5

    flat = torch.zeros(12, 12)
    assert in_top5(flat, torch.arange(12)).tolist() == [True] * 5 + [False] * 7


# ---------------------------------------------------------------- curves and batches


@pytest.mark.parametrize(
    ("answer", "brightness", "attack", "slugs"),
    [
        (rounded, 0.1, attacks.PGD(eps=1.0, random_start=False), {"no-limit-no-success", "unbounded-fails"}),
        (rounded, 0.1, attacks.DDN(steps=5), {"no-limit-no-success", "unbounded-fails"}),
        (smooth, 0.4, attacks.PGD(eps=1.0), set()),
        (smooth, 0.4, attacks.DDN(steps=30), set()),
        (smooth, 0.4, attacks.PGD(eps=0.1, random_start=False), set()),
        (smooth, 0.4, attacks.PGD(eps=0.1, steps=30, step_size=0.001, random_start=False), {"unfinished"}),
    ],
)
def test_a_curve_measures_the_lights_that_its_search_decides(answer: Answer, brightness: float, attack: Attack, slugs: set[str]) -> None:
    operation = RobustnessCurve.of(attack, halvings=3)
    result = engine.run(operation, network(answer), data=images(brightness))
    lights = result.artifacts["lights"]
    seen = {row[1] for row in lights.rows if row[3] == "on"}  # type: ignore[union-attr]
    assert seen == slugs
    said = operation.sentences(lights)  # type: ignore[arg-type]
    assert {slug for slug in SIGNS if any(f"{MARK} {SIGNS[slug].title}:" in each for each in said)} == slugs
    assert curve_record(result)["sentences"] == said
    note = dict(zip(result.artifacts["smallest"].columns, result.artifacts["smallest"].rows[0], strict=True))["note"]  # type: ignore[union-attr]
    assert (MARK in (note or "")) == bool(slugs)


def test_a_curve_of_a_one_step_attack_has_the_sentence_beside_it_and_a_search_in_progress_has_no_light() -> None:
    operation = RobustnessCurve.of(attacks.FGSM(eps=1.0), halvings=2)
    with engine.start(operation, network(rounded), data=images(0.1)) as run:
        for step in run:
            assert all(not model.lights for model in step.models) or step.share_done == 1  # type: ignore[union-attr]
        lights = run.result().artifacts["lights"]
    said = operation.sentences(lights)  # type: ignore[arg-type]
    assert "one step" in said[0]
    assert any("Unbounded attack fails" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("answer", "brightness", "attack", "slugs"),
    [
        (rounded, 0.1, attacks.PGD(eps=1.0, random_start=False), {"no-limit-no-success", "unbounded-fails"}),
        (smooth, 0.4, attacks.PGD(eps=0.1, steps=30, step_size=0.001, random_start=False), {"unfinished"}),
        (low_threshold, 0.2, attacks.PGD(eps=0.2), set()),
        (smooth, 0.4, attacks.OnePixel(population=8, max_queries=40), set()),
    ],
)
def test_a_batch_of_images_measures_the_lights_that_its_rows_decide(
    answer: Answer, brightness: float, attack: Attack, slugs: set[str]
) -> None:
    model = network(answer)
    with attack_images(attack, model, from_data(images(brightness), model), together=4) as run:
        assert list(run)
        results = run.result()
    assert {light.sign.slug for light in results.lights if light.on} == slugs
    assert all(any(SIGNS[slug].cure in each for each in results.sentences) for slug in slugs)
