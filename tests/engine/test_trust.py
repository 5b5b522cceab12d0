"""Each trust light on a small network that turns it on, and on one that does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.data import DataSet
from engine.defenses.preprocessing import BitDepth
from engine.evaluate import knowing
from engine.evaluate.tables import TableSpec, evaluate_table
from engine.evaluate.trust import SIGNS, Light, TrustLights, TrustStep, caveat, lights_of, table_of
from engine.evaluate.trust.light import compared, frequent
from engine.evaluate.trust.measuring import of_the_attack, rising
from engine.intervals import Share
from engine.operation import Attack, AttackStep, Problem
from tests.pretended_gpu import pretended_gpu

EPS = 0.1
SHAPE = (1, 8, 8)
Answer = Callable[[Tensor], Tensor]


class OfMean(nn.Module):
    """Logits as a function of the mean brightness."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(x)


def network(answer: Answer, classes: int = 2, device: str = "cpu") -> engine.Classifier:
    return engine.Classifier(OfMean(answer), [f"class {n}" for n in range(classes)], SHAPE, name=answer.__name__, device=device)


def two(value: Tensor) -> Tensor:
    """Logits of two classes, the second where the value is above 0."""
    return torch.stack([-value, value], 1)


def mean(x: Tensor) -> Tensor:
    return x.mean((1, 2, 3))


def smooth(x: Tensor) -> Tensor:
    """Bright above 0.6: its images, at 0.4, hold out at eps 0.1 and fall at twice that."""
    return two(10 * (mean(x) - 0.55))


def barrier(x: Tensor) -> Tensor:
    """Rises for a short way, falls, and rises again before eps: a large step crosses what small steps do not."""
    t = mean(x) - 0.395
    return two(-1 + 10 * t.relu() - 30 * (t - 0.02).relu() + 120 * (t - 0.06).relu())


def rounded(x: Tensor) -> Tensor:
    """Rounding has no gradient; bright above 0.7."""
    return two((x * 16).round().div(16).mean((1, 2, 3)) - 0.7)


def island(x: Tensor) -> Tensor:
    """Bright only near half the way to eps, and far beyond."""
    t = mean(x) - 0.4
    return two(-3 + 10 * t + 8 * torch.exp(-(((t - EPS / 2) / (EPS / 100)) ** 2)))


def dead_end(x: Tensor) -> Tensor:
    """The runner-up is constant, so that the margin has no gradient; the cross-entropy sees the third class."""
    t, flat = mean(x) - 0.4, torch.zeros(len(x), device=x.device)
    return torch.stack([1 + flat, 0.9 + flat, -1 + 30 * t], 1)


def saturated(x: Tensor) -> Tensor:
    return two(torch.sigmoid(3000 * (mean(x) - 0.7)) - 0.5)


def detached(x: Tensor) -> Tensor:
    return two(mean(x.detach()) - 0.55) + 0 * x.sum() * 0


def severed(x: Tensor) -> Tensor:
    return two(mean(x.detach()) - 0.55)


def undefined(x: Tensor) -> Tensor:
    """The gradient of a root at zero is not a number."""
    return two(mean(x) - 0.55 + 0 * (x - x).sum((1, 2, 3)).sqrt())


def noisy(x: Tensor) -> Tensor:
    return two(10 * (mean(x) - 0.55) + 0.3 * torch.randn(len(x), device=x.device))


def shattered(x: Tensor) -> Tensor:
    """A ripple that no eye sees turns every gradient around."""
    return two(10 * (mean(x) - 0.55) + 0.4 * torch.sin(3000 * x).sum((1, 2, 3)) / 8)


def at(brightness: float, count: int = 8) -> Tensor:
    return torch.full((count, *SHAPE), brightness)


def lights(
    classifier: engine.Classifier, attack: Attack, images: Tensor, models: tuple[engine.Classifier, ...] = (), **fields: int
) -> dict[str, Light]:
    evaluation = TrustLights.of(attack, **{"queries": 300, "draws": 30, **fields})
    with engine.start(evaluation, classifier, images, torch.zeros(len(images), dtype=torch.long), models=models) as run:
        for step in run:
            assert isinstance(step, TrustStep)
    assert step.share_done == 1
    assert [light.sign.slug for light in step.lights] == list(SIGNS)
    return {light.sign.slug: light for light in step.lights}


def pgd(**fields: object) -> attacks.PGD:
    return attacks.PGD.build(**{"eps": EPS, **fields})


ON = [
    ("one-step-beats-many", barrier, pgd(), at(0.4)),
    ("no-limit-no-success", rounded, pgd(), at(0.1)),
    ("unbounded-fails", rounded, pgd(), at(0.1)),
    ("search-beats-gradients", rounded, pgd(eps=0.5), at(0.4)),
    ("no-gradient", rounded, pgd(), at(0.1)),
    ("no-gradient", saturated, pgd(), at(0.1)),
    ("gradient-unavailable", saturated, pgd(), at(0.1)),
    ("gradient-unavailable", detached, pgd(), at(0.4)),
    ("gradient-unavailable", undefined, pgd(), at(0.4)),
    ("more-eps-less-success", island, pgd(steps=12, random_start=False), at(0.4)),
    ("steps-matter", smooth, pgd(eps=0.2, steps=5, step_size=0.02, random_start=False), at(0.4)),
    ("loss-matters", dead_end, pgd(), at(0.4)),
    ("loss-matters", dead_end, pgd(loss="margin"), at(0.4)),
    ("unstable", noisy, pgd(), at(0.4)),
    ("unstable", shattered, pgd(), at(0.4)),
    ("unfinished", smooth, pgd(steps=30, step_size=0.001, random_start=False), at(0.4)),
]


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 8])
@pytest.mark.parametrize(("slug", "answer", "attack", "images"), ON, ids=[f"{each[0]}-{each[1].__name__}" for each in ON])
def test_a_network_turns_its_light_on_for_one_image_and_for_a_set(
    slug: str, answer: Answer, attack: Attack, images: Tensor, count: int
) -> None:
    light = lights(network(answer, 3 if answer is dead_end else 2), attack, images[:count])[slug]
    assert light.on, light
    assert light.measured
    assert light.sign.meaning.endswith(".")
    assert light.sign.cure.endswith(".")


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("attack", [pgd(), attacks.FGSM(eps=EPS), attacks.APGD(eps=EPS, steps=30), pgd(norm="l2", eps=0.8)], ids=repr)
def test_a_smooth_network_under_a_sound_attack_turns_no_light_on(attack: Attack, count: int) -> None:
    found = lights(network(smooth), attack, at(0.4, count), models=(network(smooth),))
    assert [slug for slug, light in found.items() if light.on] == []
    unmeasured = {slug for slug, light in found.items() if light.state == "not measured"}
    assert unmeasured <= {"surrogate", *(["unfinished"] if attack.slug == "fgsm" else [])}


def test_transfer_beats_a_network_that_hides_its_gradient_and_no_other() -> None:
    source, attack = network(smooth), pgd(eps=0.5)
    assert lights(network(rounded), attack, at(0.4), (source,))["transfer-beats-white-box"].on
    off = lights(source, attack, at(0.4), (network(rounded),))["transfer-beats-white-box"]
    assert off.state == "off"
    assert lights(source, attack, at(0.4))["transfer-beats-white-box"].state == "not measured"


def test_only_the_surrogate_falls_where_a_hidden_step_takes_the_change_away() -> None:
    dark = network(low_threshold)
    hidden, kept = (dark.derive(before=[BitDepth(bits=bits, gradient="none")]) for bits in (1, 8))
    attack = pgd(eps=0.15)
    assert lights(hidden, attack, at(0.2))["surrogate"].on
    assert lights(hidden, attack, at(0.2, 1))["surrogate"].on
    assert lights(kept, attack, at(0.2))["surrogate"].state == "off"


def low_threshold(x: Tensor) -> Tensor:
    """Bright above 0.3."""
    return two(10 * (mean(x) - 0.3))


class GoesPast(Attack):
    """Passes an adversarial image and returns to the clean one."""

    slug: ClassVar[str] = "goes-past"
    title: ClassVar[str] = "Goes past"
    family: ClassVar[str] = "Test"
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        for index, brightness in enumerate((0.4, 0.9, 0.4)):
            images = torch.full_like(problem.images, brightness)
            yield AttackStep(index, 2, images, problem.classifier(images)[:, 1])


def test_a_silent_success_is_seen_and_an_attack_that_keeps_its_best_has_none() -> None:
    result = engine.run(GoesPast(), network(smooth), at(0.4, 3))
    assert not result.success.any()
    assert _by_slug(of_the_attack(result))["silent-success"].on
    assert _by_slug(of_the_attack(engine.run(pgd(), network(smooth), at(0.4, 3))))["silent-success"].state == "off"


def _by_slug(found: list[Light] | tuple[Light, ...]) -> dict[str, Light]:
    return {light.sign.slug: light for light in found}


def test_a_network_without_a_graph_turns_the_gradient_lights_on_before_the_attack_is_refused() -> None:
    """The attack itself cannot run there: what is known by then is shown before the refusal."""
    seen: list[TrustStep] = []
    with (
        engine.start(TrustLights.of(pgd()), network(severed), at(0.4), torch.zeros(8, dtype=torch.long)) as run,
        pytest.raises(engine.GibbonError, match="passes no gradient"),
    ):
        seen += run
    assert _by_slug(seen[-1].lights)["gradient-unavailable"].on
    assert _by_slug(seen[-1].lights)["no-gradient"].on


def test_images_that_are_misread_anyway_do_not_count() -> None:
    images = torch.cat([at(0.4, 4), at(0.9, 3)])
    figures = lights(network(smooth), pgd(), images)["one-step-beats-many"].figures
    assert {share.of for share in figures.values() if isinstance(share, Share)} == {4}
    none = lights(network(smooth), pgd(), at(0.9, 3))
    assert all(light.state == "not measured" and "before the attack" in light.why for light in none.values())


def test_a_difference_within_the_noise_of_counting_is_no_light() -> None:
    """By hand: of k images that only the weaker attack fools, Wilson's lower end is above 1/2 from k = 4 on."""
    nothing = torch.zeros(100, dtype=torch.bool)
    for extra, state in ((1, "off"), (3, "off"), (4, "on"), (20, "on")):
        some = nothing.clone()
        some[:extra] = True
        assert compared("one-step-beats-many", ("FGSM", some), ("PGD", nothing)).state == state
        assert compared("one-step-beats-many", ("FGSM", nothing), ("PGD", some)).state == "off"
        assert compared("loss-matters", ("margin", nothing), ("ce", some), margin=0.05, both_ways=True).on == (extra == 20)
    tie = torch.arange(100) < 50
    assert compared("one-step-beats-many", ("FGSM", tie), ("PGD", ~tie)).state == "off"


@pytest.mark.parametrize(
    ("hits", "of", "state"), [(0, 1, "off"), (1, 1, "on"), (0, 50, "off"), (3, 50, "off"), (8, 50, "on"), (0, 0, "off")]
)
def test_a_share_turns_a_light_on_where_all_of_its_interval_is_above_the_limit(hits: int, of: int, state: str) -> None:
    assert frequent("no-gradient", "images", torch.arange(of) < hits).state == state


def test_rising_looks_at_the_running_maximum_of_the_last_ten_steps() -> None:
    steps = torch.arange(41.0)
    early, late = 1 - torch.exp(-steps / 4), steps
    jagged = early + torch.where(steps > 30, -0.5, 0.0)
    flat = torch.full((41,), 2.0)
    assert rising(torch.stack([early, late, jagged, flat], 1)).tolist() == [False, True, False, False]


def test_confident_images_are_not_unfinished_because_their_cross_entropy_is_tiny() -> None:
    """The last steps, within the ball's corner, move the margin by a hundredth and the cross-entropy by a third."""
    sure = network(very_sure)
    result = engine.run(pgd(eps=0.05), sure, at(0.4, 4), torch.zeros(4, dtype=torch.long))
    assert not result.success.any()
    assert _by_slug(of_the_attack(result))["unfinished"].state == "off"


def very_sure(x: Tensor) -> Tensor:
    return two(60 * (mean(x) - 0.6) + 3 * (x.amax((1, 2, 3)) - 0.4))


# ---------------------------------------------------------------- as an operation


def test_the_lights_come_one_after_the_other_and_leaving_keeps_those_found() -> None:
    evaluation = TrustLights.of(pgd(), queries=50, draws=10)
    measured, shares = [], []
    with engine.start(evaluation, network(smooth), at(0.4, 2)) as run:
        for step in run:
            measured.append(sum(light.state != "not measured" for light in step.lights))
            shares.append(step.share_done)
            if measured[-1] >= 6:
                break
        run.close()
        result = run.result()
    assert measured == sorted(measured)
    assert shares == sorted(shares)
    assert measured[0] == 0
    assert result.reason == "cancelled"
    assert sum(row[2] != "not measured" for row in result.artifacts["lights"].rows) == measured[-1]


def test_a_result_at_hand_is_not_made_again_and_gives_the_same_lights() -> None:
    classifier, images = network(smooth), at(0.4, 3)
    result = engine.run(pgd(), classifier, images)
    runs = []
    for evaluation in (TrustLights.of_result(result, queries=50, draws=10), TrustLights.of(pgd(), queries=50, draws=10)):
        with engine.start(evaluation, classifier, images, result.labels) as run:
            last = list(run)[-1]
            runs.append((last.lights, run.result().forwards))
    assert runs[0][0] == runs[1][0]
    assert runs[1][1] - runs[0][1] == 3 * 41
    foreign = TrustLights.of_result(result, queries=50, draws=10)
    with engine.start(foreign, classifier, at(0.3, 3)) as run:  # other images: it has to be run
        assert list(run)[-1].lights


def test_a_data_set_takes_the_place_of_the_images() -> None:
    pixels, classes = (255 * at(0.4, 6)).byte(), torch.zeros(6, dtype=torch.long)
    data = DataSet("brightness", ("class 0", "class 1"), pixels, classes, "drawn here")
    with engine.start(TrustLights.of(pgd(), queries=20, draws=5), network(smooth), data=data) as run:
        last = list(run)[-1]
    share = _by_slug(last.lights)["one-step-beats-many"].figures["PGD"]
    assert isinstance(share, Share)
    assert share.of == 6


def test_a_single_image_of_a_batch_has_the_gradient_and_stability_it_has_alone() -> None:
    images = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(2)) * 0.2 + 0.3

    def changes(images: Tensor) -> object:
        return lights(network(smooth), pgd(steps=2), images, queries=20)["unstable"].figures["mean change"]

    together = changes(images)
    alone = [changes(image[None]) for image in images]
    assert isinstance(together, float)
    assert alone[0] == changes(images[:1])
    assert together == pytest.approx(sum(alone) / 4, rel=0.3)  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", ["deepfool", "fmn", "noise", "square", "rand-fgsm", "mi-fgsm", "cw-l2", "hop-skip-jump"])
def test_attacks_of_every_kind_get_lights(slug: str) -> None:
    found = lights(network(smooth), attacks.CATALOGUE[slug](max_queries=300), at(0.4, 2), queries=20, draws=5)
    assert found["no-gradient"].state == "off"
    assert {light.state for light in found.values()} <= {"on", "off", "not measured"}


def test_attacks_that_learn_from_a_set_or_grow_images_have_none() -> None:
    for slug in ("universal", "substitute", "fooling"):
        with pytest.raises(engine.GibbonError, match="no trust lights"):
            TrustLights(attack=slug)


def test_on_a_gpu_nothing_is_left_on_the_cpu() -> None:
    expected = lights(network(smooth), pgd(steps=20), at(0.4, 2), (network(smooth),), queries=20, draws=5)
    with pretended_gpu(float64=False):
        there = network(smooth, device="cuda")
        found = lights(there, pgd(steps=20), at(0.4, 2), (there,), queries=20, draws=5)
    assert {slug: light.state for slug, light in found.items()} == {slug: light.state for slug, light in expected.items()}


# ---------------------------------------------------------------- two attackers, caveats, tables


def test_two_attackers_decide_transfer_and_surrogate_without_another_pass() -> None:
    classifier = network(low_threshold)
    both = knowing.both(pgd(eps=0.15), classifier, "bit-depth bits=1", at(0.2), torch.zeros(8, dtype=torch.long))
    found = _by_slug(lights_of(both))
    assert found["surrogate"].on  # the plain model is fooled, the rounded one is not
    assert found["transfer-beats-white-box"].state == "off"
    worse = replace(both, plain=both.plain, aware=replace(both.aware, logits=classifier(at(0.2))))
    worse.__dict__["unaware_success"] = torch.ones(8, dtype=torch.bool)
    assert _by_slug(lights_of(worse))["transfer-beats-white-box"].on


def test_no_number_of_a_one_step_attack_stands_without_its_caveat() -> None:
    for attack in (attacks.FGSM(), attacks.RandFGSM(), attacks.Noise(), pgd(steps=1), attacks.MIFGSM(steps=1)):
        assert "one step" in caveat(attack)
        assert "PGD" in caveat(attack)
    assert "no gradients" in caveat(attacks.Square())
    for attack in (pgd(), attacks.APGD(), attacks.DeepFool(), attacks.CarliniWagnerL2()):
        assert caveat(attack) == ""


def test_a_light_that_is_on_stands_in_the_caveat_with_its_cure() -> None:
    masked = lights(network(rounded), pgd(), at(0.1)).values()
    said = caveat(pgd(), masked)
    assert said.startswith("Do not trust this number, the gradient seems masked")
    assert "“Gradients vanish”" in said
    weak = lights(network(smooth), pgd(steps=30, step_size=0.001, random_start=False), at(0.4)).values()
    assert caveat(pgd(), weak).startswith("The attack may be too weak for this number: “Attack unfinished” is on.")
    assert caveat(pgd(), lights(network(smooth), pgd(), at(0.4)).values()) == ""


def test_the_table_says_meaning_and_cure_where_a_light_is_on() -> None:
    table = table_of(tuple(lights(network(saturated), pgd(), at(0.1)).values()))
    assert len(table.rows) == 14
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        assert bool(cells["meaning"]) == bool(cells["cure"]) == (cells["state"] == "on")
    kinds = [row[1] for row in table.rows]
    assert (kinds.count("gradient masking"), kinds.count("failed attack")) == (8, 6)


# ---------------------------------------------------------------- command line

Command = Callable[..., tuple[int, str, str]]
SIGN = Path(__file__).parents[2] / "resources" / "samples" / "sign-stop-32.png"
SHORT = ("--queries", "20", "--draws", "4", "--steps", "3")


def test_the_command_prints_every_light_of_a_set_and_says_what_to_do(run: Command) -> None:
    options = ("evaluate", "trust", "signs + bit-depth bits=3", "--data-set", "generated:signs", "--count", "3", "--eps", "4/255", *SHORT)
    code, said, complained = run(*options)
    assert code == 0, complained
    assert all(sign.title in said for sign in SIGNS.values())
    assert "made on “signs”" in said  # a defense is compared with the model without it
    code, out, _ = run(*options, "--json")
    told = json.loads(out)
    assert code == 0
    assert [light["light"] for light in told["lights"]] == list(SIGNS)
    assert told["parameters"]["steps"] == 3
    assert {light["state"] for light in told["lights"]} <= {"on", "off", "not measured"}
    figures = next(light for light in told["lights"] if light["light"] == "one-step-beats-many")["figures"]
    assert set(figures["PGD"]) == {"share", "hits", "of", "interval_95"}
    for light in (light for light in told["lights"] if light["state"] == "on"):
        assert light["cure"] in said


def test_the_command_takes_one_image(run: Command) -> None:
    code, out, complained = run("evaluate", "trust", "signs", "--image", SIGN, "--attack", "fgsm", "--queries", "20", "--json")
    assert code == 0, complained
    assert "one step" in json.loads(out)["caveat"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["signs"], "Which images?"),
        (["--data-set", "generated:signs"], "Which model?"),
        (["signs", "--data-set", "generated:signs", "--image", "STOP"], "Which images?"),
        (["signs", "--image", "STOP", "--stepz", "3"], "Did you mean --steps"),
        (["signs", "--image", "STOP", "--attack", "universal"], "no trust lights"),
        (["digits", "--data-set", "generated:signs", "--count", "2"], "“digits” takes grey images"),
        (["signs + jpg", "--image", "STOP"], "jpeg"),
    ],
)
def test_what_does_not_fit_is_one_sentence(run: Command, arguments: list[str], said: str) -> None:
    code, out, complained = run("evaluate", "trust", *(str(SIGN) if word == "STOP" else word for word in arguments))
    assert (code, out) == (2, "")
    assert said in complained
    assert len(complained.strip().splitlines()) == 1


def test_an_attack_that_fails_in_one_step_is_no_sign_of_robustness_on_the_command_line(run: Command) -> None:
    assert "one step" in run("attack", "--image", SIGN, "--attack", "fgsm", "--eps", "0.1/255")[1]
    assert "one step" not in run("attack", "--image", SIGN, "--attack", "pgd", "--eps", "0.1/255", "--steps", "3")[1]


def test_a_table_of_one_step_attacks_says_so_and_one_with_pgd_beside_does_not() -> None:
    data = DataSet("set", ("class 0", "class 1"), (255 * at(0.4, 3)).byte(), torch.zeros(3, dtype=torch.long), "drawn here")
    for others, alone in (([], True), ([{"attack": "pgd", "eps": EPS, "steps": 2}], False)):
        spec = TableSpec(models=["a"], data=["set"], attacks=[{"attack": "fgsm", "eps": EPS}, *others])
        with evaluate_table(spec, None, classifiers={"a": network(smooth)}, sets={"set": data}) as table:
            for _ in table:
                pass
            assert any("one step" in sentence for sentence in table.result().sentences()) == alone


def test_the_shares_of_many_images_have_the_sentence_beside_them(run: Command) -> None:
    options = ("batch", "--image-set", "generated:signs", "--count", "2")
    assert "one step" in run(*options, "--attack", "fgsm")[1]
    assert json.loads(run(*options, "--attack", "pgd", "--steps", "2", "--json")[1])["caveat"] == ""


def test_a_defense_that_holds_against_an_attacker_who_does_not_know_it_warns_of_no_weak_attack(run: Command) -> None:
    """The attack through the defense is the adaptive one: that the other one fails says nothing against it."""
    said = run("attack", "--image", SIGN, "--defense", "noise-averaging + median size=3", "--eps", "4/255", "--json")[1]
    told = json.loads(said)
    assert told["defense"]["success"]["unaware"] < told["defense"]["success"]["without"]
    assert not any("Only the surrogate falls" in note for note in told["notes"])
