"""A defense under an attacker who knows it and one who does not; its runs in records, studies, scripts and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks, images, models, record, study
from engine.defenses.preprocessing import JPEG, BitDepth, NoiseAveraging, defended, read
from engine.evaluate import KnowingEvaluation, knowing
from engine.record import ModelOptions, Record
from engine.script import as_python
from tests.engine.conftest import small_network

SIGN = Path(__file__).parents[2] / "resources" / "samples" / "sign-stop-32.png"


def load(source: str = "small", device: str = "cpu", options: ModelOptions | None = None) -> engine.Classifier:
    return engine.Classifier(small_network(), [f"class {i}" for i in range(5)], (3, 8, 8), name=source, device=device, source=source)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def brightness() -> engine.Classifier:
    """Class 1 is an image whose mean is above 0.55, by a linear network."""

    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([-(x.mean((1, 2, 3)) - 0.55), x.mean((1, 2, 3)) - 0.55], 1) * 50

    return engine.Classifier(Mean(), ["dark", "bright"], (1, 4, 4), device="cpu")


def test_the_three_columns_count_what_they_say() -> None:
    """One bit: 0.45 becomes 0 and 0.52 becomes 1, so that a small step over 0.5 is a large one behind the defense."""
    classifier, attack = brightness(), attacks.PGD(eps=0.07, steps=5, random_start=False)
    values = torch.tensor([0.1, 0.45, 0.9, 0.52])[:, None, None, None].expand(4, 1, 4, 4).clone()
    labels = torch.tensor([0, 0, 1, 0])
    both = knowing.both(attack, classifier, "bit-depth bits=1", values, labels)
    plain, unaware, aware = both.columns
    # Without: .45 and .1 hold (.52 stays dark at most at .55), .52 crosses .55 within .07, .9 holds.
    assert both.plain.success.tolist() == [False, False, False, True]
    # Behind one bit .52 is bright when clean; .45 + .07 = .52 is rounded up.
    assert both.aware.wrong_before.tolist() == [False, False, False, True]
    assert both.aware.success.tolist() == [False, True, False, True]
    assert both.unaware_success.tolist() == [False, True, False, True]
    assert (plain.clean.hits, plain.robust.hits, plain.success.hits, plain.success.of) == (4, 3, 1, 4)
    assert (aware.clean.hits, aware.robust.hits, aware.success.hits, aware.success.of) == (3, 2, 1, 3)
    assert (unaware.clean.hits, unaware.robust.hits, unaware.success.hits) == (3, 2, 1)
    assert (both.worst.hits, both.worst.of) == (2, 4)
    assert both.remarks == ()


def test_an_image_that_only_the_ignorant_attacker_fools_is_said_and_not_counted_as_robust() -> None:
    classifier = load()
    batch = noise(40, 3, 8, 8)
    strong, weak = (engine.run(attacks.PGD(eps=eps, steps=10), c, batch, classifier.predict(batch)) for eps, c in _pair(classifier))
    both = knowing.Both(read("bit-depth bits=6"), strong, weak)
    lost = int((both.unaware_success & ~both.aware.success).sum())
    assert lost > 0
    assert f"on {lost} image" in both.remarks[0]
    assert both.worst.hits < both.columns[2].robust.hits


def _pair(classifier: engine.Classifier) -> tuple[tuple[float, engine.Classifier], ...]:
    return (0.2, classifier), (0.002, defended(classifier, "bit-depth bits=6"))


def test_the_attacker_who_knows_gets_the_adaptive_gradient_whatever_the_recipe_says() -> None:
    classifier, batch, attack = load(), noise(20, 3, 8, 8), attacks.PGD(eps=0.05, steps=10)
    hidden, known = (knowing.both(attack, classifier, text, batch) for text in ("jpeg gradient=none", "jpeg"))
    assert torch.equal(hidden.aware.adversarial, known.aware.adversarial)
    assert hidden.aware.classifier.fingerprint == known.aware.classifier.fingerprint
    assert torch.equal(hidden.plain.adversarial, engine.run(attack, classifier, batch).adversarial)
    assert hidden.plain.labels_assumed
    assert hidden.aware.labels_assumed


@pytest.mark.parametrize("text", ["bit-depth bits=2", "median size=3", "jpeg quality=40", "noise-averaging", "non-local-means search=3"])
def test_knowing_the_defense_does_not_weaken_the_attack(text: str) -> None:
    """On the shipped signs, at a budget at which the defense helps against the attacker who does not know it."""
    classifier = models.load("signs", device="cpu")
    clean = torch.stack([images.read(path, classifier) for path in sorted(SIGN.parent.glob("sign-*-32.png"))])
    both = knowing.both(attacks.PGD(eps=4 / 255, steps=15), classifier, text, clean)
    assert int(both.aware.success.sum()) >= int(both.unaware_success.sum())


def test_the_evaluation_runs_in_steps_can_be_left_and_gives_its_table() -> None:
    classifier, batch = load(), noise(4, 3, 8, 8)
    evaluation = KnowingEvaluation.of(attacks.PGD(eps=0.05, steps=4), defense="jpeg quality=50")
    with engine.start(evaluation, classifier, batch) as run:
        shares = [step.share_done for step in run]
        result = run.result()
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [row[0] for row in result.artifacts["knowing"].rows] == [knowing.PLAIN, knowing.UNAWARE, knowing.AWARE]
    assert result.forwards == 2 * 4 * 5 + 4  # the labels were asked for once
    with engine.start(evaluation, classifier, batch) as run:
        next(run)
        assert run.result().artifacts == {}
    again = KnowingEvaluation.build(**result.provenance["operation"]["parameters"])
    assert again == evaluation


@pytest.mark.parametrize(("values", "said"), [({"defense": ""}, "names no step"), ({"defense": "jpg"}, "jpeg"), ({"attack": "pdg"}, "pdg")])
def test_a_wrong_evaluation_is_refused(values: dict[str, str], said: str) -> None:
    with pytest.raises(engine.GibbonError, match=said):
        KnowingEvaluation(**values)


# ---------------------------------------------------------------- records


def recorded(classifier: engine.Classifier) -> Record:
    image = noise(3, 8, 8)
    result = engine.run(attacks.PGD(eps=0.1, steps=4), classifier, image[None], seed=2)
    return record.record_of(result, image=record.image_entry(image))


@pytest.mark.parametrize(
    "text",
    [
        "jpeg quality=40",
        "noise-averaging samples=3 seed=5 + bit-depth bits=4",
        "median size=3 gradient=none",
        "non-local-means search=3 h=0.2",
        "gradient-smoothing",
    ],
)
def test_an_attack_through_a_defense_is_replayed_to_the_same_bits(text: str, tmp_path: Path) -> None:
    path = recorded(defended(load(), text).derive(bounds={"act": 2.0})).write(tmp_path / "a.json")
    again = Record.read(path)
    assert again.model.changes == ()
    made = record.replay(again, load=load)
    assert made.same
    assert made.result.classifier.before == read(text)


def test_a_defense_of_the_models_own_code_is_not_put_there_twice() -> None:
    """The source derives a JPEG itself; one more of the same, put there by hand, is recorded once."""
    own = load().derive(before=[JPEG(quality=40)])
    own.changes_of_source = own.changes
    assert record.model_entry(own, None).preprocessing == ()
    twice = own.derive(before=[BitDepth(bits=3), JPEG(quality=40)])
    entry = record.model_entry(twice, None)
    assert [step["preprocessing"] for step in entry.preprocessing] == ["bit-depth", "jpeg"]
    assert entry.changes == ()


def test_a_function_of_a_strangers_before_the_network_still_cannot_be_recorded() -> None:
    entry = record.model_entry(load().derive(before=[torch.square, JPEG()]), None)
    assert len(entry.changes) == 1
    assert "square" in entry.changes[0]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"preprocessing": "jpeg", "quality": 500}], "quality"),
        ([{"preprocessing": "sharpen"}], "sharpen"),
        ([{"quality": 3}], "no preprocessing"),
        ([{"preprocessing": "jpeg", "quality": 41}], "another model"),
    ],
)
def test_a_record_whose_defense_was_changed_is_refused_in_a_sentence(steps: list[dict[str, object]], said: str, tmp_path: Path) -> None:
    content = recorded(defended(load(), "jpeg quality=40")).to_json()
    content["model"]["preprocessing"] = steps
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(engine.GibbonError, match=said):
        record.replay(Record.read(tmp_path / "a.json"), load=load)


def test_a_record_from_before_there_were_defenses_is_read() -> None:
    content = recorded(load()).to_json()
    del content["model"]["preprocessing"]
    assert record.replay(Record.parse(content, Path("a.json")), load=load).same


def test_the_script_of_a_record_puts_the_defense_before_the_model(tmp_path: Path) -> None:
    classifier = defended(models.load("signs", device="cpu"), "jpeg quality=40 + bit-depth bits=4")
    photograph = images.open_image(SIGN)
    clean = photograph.crop_to(classifier, None)
    result = engine.run(attacks.FGSM(), classifier, clean[None])
    entry = record.record_of(result, image=record.image_entry(clean, photograph, None, tmp_path), folder=tmp_path)
    text = as_python(entry, folder=tmp_path)
    names: dict[str, object] = {}
    exec(compile(text, "script", "exec"), names)
    assert torch.equal(names["result"].adversarial, result.adversarial)  # type: ignore[attr-defined]


def test_a_study_loads_the_model_and_its_defense_again(tmp_path: Path) -> None:
    classifier = defended(models.load("digits", device="cpu"), "median size=3 + jpeg")
    run = study.Study.of(engine.run(attacks.FGSM(), classifier, torch.full((1, 1, 28, 28), 0.5))).runs[0]
    kept = study.read(study.write(study.Study(runs=(run,)), tmp_path / "a.gibbon")).runs[0].attack
    assert kept is not None
    again = study.load(kept.classifier, device="cpu")
    assert again.fingerprint == classifier.fingerprint
    assert again.name == classifier.name


# ---------------------------------------------------------------- command line

Run = Callable[..., tuple[int, str, str]]


def test_the_command_line_says_both_numbers_and_its_record_replays(run: Run) -> None:
    options = ["--image", SIGN, "--model", "signs", "--defense", "jpeg quality=30", "--eps", "4/255", "--steps", "10"]
    code, said, complained = run("attack", *options)
    assert code == 0, complained
    assert "who does not know it: " in said
    assert "by an attacker who knows it: " in said
    assert "Without the defense: " in said
    assert "signs behind jpeg quality=30" in said
    code, said, _ = run("replay", "sign-stop-32-pgd.json")
    assert (code, "The same bits again" in said) == (0, True)
    code, said, _ = run("attack", *options, "--json", "--overwrite")
    told = json.loads(said)["defense"]
    classifier = models.load("signs", device="cpu")
    clean = images.read(SIGN, classifier)[None]
    both = knowing.both(attacks.PGD(eps=4 / 255, steps=10), classifier, "jpeg quality=30", clean)
    assert told["success"] == {
        "without": bool(both.plain.success),
        "unaware": bool(both.unaware_success),
        "aware": bool(both.aware.success),
    }


@pytest.mark.parametrize(("text", "said"), [("jpg", "Did you mean “jpeg”"), ("jpeg quality=0", "quality"), ("median 3", "name=value")])
def test_a_wrong_defense_is_one_sentence_and_no_file_is_written(run: Run, text: str, said: str) -> None:
    code, out, complained = run("attack", "--image", SIGN, "--defense", text)
    assert (code, out) == (2, "")
    assert said in complained
    assert len(complained.strip().splitlines()) == 1
    assert list(Path.cwd().iterdir()) == []


def test_seeds_of_noise_are_judged_apart() -> None:
    """Images made against one draw of the noise can be judged on another: the defense is then another classifier."""
    classifier, batch = load(), noise(6, 3, 8, 8)
    first, other = (classifier.derive(before=[NoiseAveraging(sigma=0.3, seed=seed)]) for seed in (0, 1))
    result = engine.run(attacks.PGD(eps=0.1, steps=5), first, batch)
    assert first.fingerprint != other.fingerprint
    assert not torch.equal(other.score(result.adversarial), result.logits)
