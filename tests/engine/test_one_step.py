"""No model is called robust on a one-step attack: all sentences and numbers that could say so, as far as they can be listed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import engine
from engine import attacks
from engine.data import DataSet
from engine.defenses import Train
from engine.defenses.training.measuring import QuickAttack
from engine.evaluate import under_attack
from engine.evaluate.batch import attack_images, from_data
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.tables import TableSpec, evaluate_table
from engine.evaluate.trust import TrustLights, caveat, is_one_step
from engine.operation import Attack
from engine.record import curve_record, table_record
from engine.record.batches import batch_record
from engine.reproduce import CATALOGUE as EXPERIMENTS
from tests.engine.test_trust import at, network, smooth

ROOT = Path(__file__).parents[2]
NEVER = "no model is called robust on a one-step attack"


def one_step_attacks() -> Iterator[Attack]:
    """Every attack of the catalogue with every preset, and with one step where it has steps; those that take one step."""
    for cls in attacks.CATALOGUE.values():
        made = [cls(), *(cls.build(**dict(preset.values)) for preset in cls.presets if cls.needs <= {"targets"})]
        if "steps" in cls.model_fields:
            made.append(cls.build(steps=1))
        yield from (attack for attack in made if is_one_step(attack))


ONE_STEP = list(one_step_attacks())
PLAIN = [attack for attack in ONE_STEP if "data" not in attack.needs and "targets" not in attack.needs and attack.from_image]


def data() -> DataSet:
    return DataSet("set", ("class 0", "class 1"), (255 * at(0.4, 3)).byte(), torch.zeros(3, dtype=torch.long), "drawn here")


def test_the_catalogue_has_attacks_of_one_step() -> None:
    slugs = {attack.slug for attack in ONE_STEP}
    assert {"fgsm", "rand-fgsm", "noise", "pgd", "mi-fgsm", "apgd", "deepfool", "ddn", "fmn"} <= slugs


@pytest.mark.parametrize("slug", sorted(attacks.CATALOGUE))
def test_an_attack_that_looks_at_one_gradient_is_known_as_one_of_one_step(slug: str) -> None:
    """Counted, so that an attack that is added later is not forgotten."""
    cls = attacks.CATALOGUE[slug]
    attack = cls()
    if attack.knows != "gradients" or not attack.from_image or attack.needs & {"data", "mask"}:
        return
    labels = torch.zeros(1, dtype=torch.long)
    targets = torch.ones(1, dtype=torch.long) if "targets" in attack.needs else None
    result = engine.run(attack, network(smooth), at(0.1, 1), labels, targets)
    assert (result.backwards <= 1) == is_one_step(attack)


@pytest.mark.parametrize("attack", ONE_STEP, ids=repr)
def test_the_sentence_belongs_to_every_attack_of_one_step(attack: Attack) -> None:
    assert NEVER in caveat(attack)
    assert re.search(r"PGD|APGD", caveat(attack))


@pytest.mark.parametrize("attack", PLAIN, ids=repr)
def test_no_share_under_an_attack_of_one_step_stands_alone(attack: Attack) -> None:
    """Batches, tables and curves, on the screen and in their records."""
    classifier = network(smooth)
    with attack_images(attack, classifier, from_data(data(), classifier)) as run:
        assert list(run)
        rows = run.result()
    assert NEVER in " ".join(rows.sentences)
    assert NEVER in json.dumps(batch_record(rows).summary)
    values = {name: value for name, value in attack.model_dump().items() if value != getattr(type(attack)(), name)}
    spec = TableSpec(models=["a"], data=["set"], attacks=[{"attack": attack.slug, **values}])
    with evaluate_table(spec, classifiers={"a": classifier}, sets={"set": data()}) as table:
        assert list(table)
        results = table.result()
    assert NEVER in " ".join(results.warnings())
    assert set(results.warnings()) <= set(results.sentences())
    assert NEVER in json.dumps(table_record(results)["warnings"])
    if attack.ball() is None and attack.keeps != "norm":
        return
    operation = RobustnessCurve.of(attack, halvings=1)
    curve = engine.run(operation, classifier, data=data())
    assert NEVER in " ".join(operation.sentences(curve.artifacts["lights"]))  # type: ignore[arg-type]
    assert NEVER in " ".join(curve_record(curve)["sentences"])


def test_trust_lights_of_an_attack_of_one_step_compare_it_with_many_steps() -> None:
    found = TrustLights.of(attacks.FGSM(eps=0.1), queries=20, draws=4)
    with engine.start(found, network(smooth), at(0.4, 1)) as run:
        last = list(run)[-1]
    light = next(light for light in last.lights if light.sign.slug == "one-step-beats-many")  # type: ignore[attr-defined]
    assert set(light.figures) == {"FGSM", "PGD"}


# ---------------------------------------------------------------- cards and trainings


def test_trainings_are_measured_by_an_attack_of_many_steps_that_is_named_with_its_budget() -> None:
    quick = Train().quick_attack(1)
    assert quick.steps >= 10
    for attack in (quick, QuickAttack(0.1)):
        assert re.fullmatch(r"PGD-\d\d+ at L∞ [\d./]+", attack.words)
    assert under_attack.STEPS >= 40
    assert under_attack.UnderAttack(3, 4, 0.3).words.endswith("under PGD-40 at L∞ 0.3 on 4 images")


@pytest.mark.parametrize("path", sorted((ROOT / "resources/models").glob("*.json")), ids=lambda path: path.stem)
def test_a_card_names_the_attack_of_every_accuracy_under_attack_and_it_has_many_steps(path: Path) -> None:
    card = json.loads(path.read_text(encoding="utf-8"))
    for place in (card, card.get("held_out") or {}):
        if place.get("attacked") is not None:
            steps = re.match(r"A?PGD-(\d+) ", place["attack"])
            assert steps is not None, place["attack"]
            assert int(steps[1]) >= 10


# ---------------------------------------------------------------- experiments

WITHOUT_DEFENSES = {
    "batch_norm": "It shows how far the means of the layers move, and says nothing of accuracy under attack.",
    "logistic": "The model is linear, so one step is the exact worst case in the ball.",
    "panda": "One image is attacked, with success.",
}
"""Experiments with an attack of one step that judge no defense, each with the reason."""
ONE_STEP_NAMES = {"FGSM", "RandFGSM", "Noise"}


def called(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {name.id if isinstance(name, ast.Name) else getattr(name, "attr", "") for name in calls}


@pytest.mark.parametrize("slug", sorted(EXPERIMENTS))
def test_an_experiment_that_measures_a_defense_by_one_step_says_so_in_its_report(slug: str) -> None:
    module = EXPERIMENTS[slug].__module__
    path = ROOT / f"{module.replace('.', '/')}.py"
    path = path if path.is_file() else ROOT / module.replace(".", "/") / "__init__.py"
    names = called(path)
    if names & ONE_STEP_NAMES and path.stem not in WITHOUT_DEFENSES:
        assert "note_caveats" in names


def test_every_exception_is_an_experiment_with_an_attack_of_one_step() -> None:
    for stem in WITHOUT_DEFENSES:
        (path,) = (ROOT / "engine/reproduce").rglob(f"{stem}.py")
        assert called(path) & ONE_STEP_NAMES


# ---------------------------------------------------------------- words

CLAIM = re.compile(
    r"\b(?:is|are|was|were|be|as|called|stays?|makes? \w+|becomes?|more|most|fully|provably)\s+robust\b(?!\s+accurac)", re.IGNORECASE
)
ALLOWED = (
    "counts as robust only if every attack",
    "no model is called robust on",
    "an image is robust only if every attack",
    "the network is robust against one step and no longer against",
)
"""Sentences that say when something counts as robust, or that it does not."""


def sentences(path: Path) -> Iterator[str]:
    """The texts of a file that a user can read: all but docstrings of modules, classes and functions without parameters to show."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


@pytest.mark.parametrize("package", ["engine", "gui"])
def test_no_text_calls_a_model_robust_but_where_it_says_what_that_means(package: str) -> None:
    said = [
        f"{path.relative_to(ROOT)}: {text[max(0, match.start() - 60) : match.end() + 40]}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in sentences(path)
        for match in CLAIM.finditer(text)
        if not any(allowed in text for allowed in ALLOWED)
    ]
    assert said == []


@pytest.mark.parametrize("text", ["The defense is robust.", "This model is called robust", "it becomes robust", "provably robust"])
def test_the_search_for_claims_can_find_one(text: str) -> None:
    assert CLAIM.search(text)
