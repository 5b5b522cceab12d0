"""What other models say of a result: counts against written-out ones, the control, and models that cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.evaluate import TransferEvaluation, TransferStep, control, transfer
from engine.text.formatting import format_probability
from tests.engine.conftest import linear_classifier, small_network

LABELS = [f"class {i}" for i in range(5)]


@pytest.fixture(scope="module")
def family() -> list[engine.Classifier]:
    return [engine.Classifier(small_network(torch.float64, seed), LABELS, (3, 8, 8), name=f"net {seed}", device="cpu") for seed in range(3)]


@pytest.fixture
def attacked(family: list[engine.Classifier]) -> engine.AttackResult:
    images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    labels = family[0].predict(images)
    return engine.run(attacks.PGD(eps=0.1, steps=5), family[0], images, labels=labels)


def test_the_counts_are_those_of_a_loop(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    found = transfer(attacked, family)
    assert [v.name for v in found.verdicts] == ["net 0", "net 1", "net 2"]
    for model, verdict in zip(family, found.verdicts, strict=True):
        right = fools = both = 0
        for row in range(40):
            label = int(attacked.labels[row])
            before = int(model(attacked.clean[row : row + 1]).argmax())
            after = int(model(attacked.adversarial[row : row + 1]).argmax())
            right += after == label
            if bool(attacked.success[row]) and before == label:
                both += 1
                fools += after != label
        assert verdict.accuracy(verdict.adversarial) == pytest.approx(right / 40)
        assert verdict.counted == both
        assert verdict.rate == (pytest.approx(fools / both) if both else None)
    assert found.verdicts[0].attacked
    assert found.verdicts[0].rate == 1
    table = found.table()
    assert len(table.rows) == 3
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_single_image_is_told_in_words(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    row = int(attacked.success.nonzero()[0])
    result = engine.run(
        attacks.PGD(eps=0.1, steps=5), family[0], attacked.clean[row : row + 1], labels=attacked.labels[row : row + 1], first_row=row
    )
    table = transfer(result, family[1:]).table()
    name, clean, adversarial, noise, verdict = table.rows[0]
    assert name == "net 0"
    assert clean.startswith(LABELS[int(result.labels[0])] + " ")
    assert adversarial.startswith(LABELS[int(result.prediction[0])] + " ")
    assert adversarial.endswith(format_probability(float(result.logits.softmax(1).max())))
    assert noise.endswith(" %")
    assert verdict == "fooled"
    assert transfer(result, family[1:], noise=False).table().rows[1][3] == "–"


def test_another_size_is_resized_inside_and_other_channels_are_named(attacked: engine.AttackResult) -> None:
    torch.manual_seed(4)
    larger = engine.Classifier(
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 5)).double(), LABELS, (3, 16, 16), name="larger", device="cpu"
    )
    grey = linear_classifier(5, (1, 8, 8))
    found = transfer(attacked, [larger, grey])
    _, of_larger, of_grey = found.verdicts
    assert torch.equal(of_larger.adversarial, larger.derive(size=8).score(attacked.adversarial))
    assert not of_grey.comparable
    assert of_grey.excuse == "Not comparable: it takes grey images, the run has colour images."
    assert of_grey.rate is None
    assert of_grey.counted == 0
    assert found.table().rows[2][-1] == of_grey.excuse


def test_labels_are_matched_by_name(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    turned = nn.Sequential(small_network(torch.float64, 1), _Flip())
    other = engine.Classifier(turned, LABELS[::-1], (3, 8, 8), name="turned", device="cpu")
    plain, flipped = transfer(attacked, [family[1], other]).verdicts[1:]
    assert flipped.accuracy(flipped.adversarial) == plain.accuracy(plain.adversarial)
    assert flipped.rate == plain.rate


class _Flip(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits.flip(1)


def test_other_classes_are_asked_whether_their_own_prediction_changed(attacked: engine.AttackResult) -> None:
    torch.manual_seed(5)
    animals = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 7)).double(), list("abcdefg"), (3, 8, 8), device="cpu")
    verdict = transfer(attacked, [animals]).verdicts[1]
    assert verdict.fooled is None
    assert verdict.accuracy(verdict.clean) is None
    changed = animals.predict(attacked.adversarial) != animals.predict(attacked.clean)
    assert verdict.rate == pytest.approx(float(changed[attacked.success].double().mean()))
    twice = engine.Classifier(small_network(torch.float64, 1), ["class 0", *LABELS[:4]], (3, 8, 8), device="cpu")
    assert transfer(attacked, [twice]).verdicts[1].classes is None  # a name that stands for two classes says nothing


def test_a_target_is_reached_or_not(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    targets = (attacked.labels + 1) % 5
    result = engine.run(attacks.PGD(eps=0.2, steps=5), family[0], attacked.clean, labels=attacked.labels, targets=targets)
    found = transfer(result, family[1:])
    for model, verdict in zip(family, found.verdicts, strict=True):
        assert torch.equal(verdict.reached, model.predict(result.adversarial) == targets)
    assert "reaches the target" in found.table().columns


def test_the_control_has_every_norm_of_the_perturbation() -> None:
    random = torch.Generator().manual_seed(0)
    clean = 0.3 + 0.4 * torch.rand(6, 3, 9, 7, generator=random, dtype=torch.float64)
    delta = 0.1 * torch.randn(6, 3, 9, 7, generator=random, dtype=torch.float64)
    delta[2, :, 3:, :] = 0
    noisy = control(clean, (clean + delta).clamp(0, 1), seed=1)
    from engine.result import norms

    for name, value in norms(noisy - clean).items():
        torch.testing.assert_close(value, norms((clean + delta).clamp(0, 1) - clean)[name], rtol=1e-9, atol=1e-9, msg=name)
    assert not torch.equal(noisy, clean + delta)
    assert torch.equal(noisy[:1], control(clean[:1], (clean + delta).clamp(0, 1)[:1], seed=1))
    assert not torch.equal(noisy, control(clean, (clean + delta).clamp(0, 1), seed=2))


def test_the_control_stays_in_range_and_in_the_mask() -> None:
    """Where one side leaves [0, 1] the other is taken: black paper loses nothing of the size."""
    clean = torch.zeros(2, 1, 6, 6)
    mask = torch.zeros(1, 1, 6, 6)
    mask[..., 1:4, 2:5] = 1
    adversarial = clean + 0.3 * mask
    noisy = control(clean, adversarial, mask)
    assert torch.equal(noisy, adversarial)
    everywhere = control(clean, adversarial)
    assert float(everywhere.sum()) == pytest.approx(float(adversarial.sum()))
    assert not torch.equal(everywhere, adversarial)


def test_the_matrix_is_one_attack_per_source(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    attack = attacks.PGD(eps=0.1, steps=5)
    grey = linear_classifier(5, (1, 8, 8))
    first, *others = [*family, grey]
    run = engine.start(TransferEvaluation.of(attack), first, attacked.clean, attacked.labels, models=others)
    steps = [step for step in run if isinstance(step, TransferStep)]
    *states, last = [step.matrix for step in steps]
    assert last.done
    assert not any(state.done for state in states)
    assert len(steps) == 3 * (6 + 4) + 1  # of each attack its steps, then one for each judge; and a note
    assert [step.index for step in steps] == [*range(len(steps))]
    shares = [step.share_done for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    spent = [0, 0]
    for row, source in enumerate(family):
        result = engine.run(attack, source, attacked.clean, labels=attacked.labels)
        spent = [spent[0] + result.forwards, spent[1] + result.backwards]
        for column, judge in enumerate(family):
            expected = float((judge.predict(result.adversarial) == attacked.labels).double().mean())
            assert float(last.accuracy[row, column]) == pytest.approx(expected)
        assert int(last.accuracy[row, :3].argmin()) == row  # the attack is strongest at home
    assert bool(last.accuracy[3].isnan().all())
    assert last.notes == ("“linear” takes images of other channels: not compared.",)
    made = run.result()
    count = len(attacked.clean)
    assert made.backwards == spent[1]
    assert made.forwards == spent[0] + 3 * count * (2 * 2 + 3)  # two judges on clean and adversarial images, three on the noise
    table = made.artifacts["accuracy"]
    assert [row[0] for row in table.rows] == ["clean images", "net 0", "net 1", "net 2", "linear", "random noise"]
    assert table.rows[0][1] == "100.0 %"
    assert made.artifacts["rate"].rows[0][1].endswith("%")
    again = TransferEvaluation.build(**made.provenance["operation"]["parameters"])
    assert again.attacking == attack


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"attack": "pdg"}, "There is no attack “pdg”"),
        ({"parameters": "{"}, "no JSON object"),
        ({"parameters": "[1]"}, "no JSON object"),
        ({"parameters": '{"epss": 1}'}, "no parameter “epss”. Did you mean eps"),
        ({"parameters": '{"eps": -1}'}, "eps"),
    ],
)
def test_an_attack_that_cannot_be_made_is_refused_at_once(parameters: dict[str, str], sentence: str) -> None:
    with pytest.raises(engine.GibbonError, match=sentence):
        TransferEvaluation(**parameters)


def test_a_matrix_may_be_left_early_and_its_steps_stay_as_they_were(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    attack = attacks.PGD(eps=0.1, steps=5)
    kept, said = [], []
    with engine.start(TransferEvaluation.of(attack), family[0], attacked.clean, attacked.labels, models=family[1:]) as run:
        for step in run:
            assert isinstance(step, TransferStep)
            kept.append(step)
            said.append(step.matrix.accuracy.clone())
            if step.matrix.source == 1:
                break
    assert all(torch.equal(step.matrix.accuracy.nan_to_num(-1), copy.nan_to_num(-1)) for step, copy in zip(kept, said, strict=True))
    state = kept[-1].matrix
    assert not bool(state.accuracy[0].isnan().any())
    assert bool(state.accuracy[1:].isnan().all())
    assert run.result().reason == "cancelled"
    assert run.result().artifacts["accuracy"].rows[2][1:] == ("–", "–", "–")


def test_a_matrix_of_one_model_is_the_attack_on_itself(family: list[engine.Classifier], attacked: engine.AttackResult) -> None:
    result = engine.run(TransferEvaluation(attack="fgsm", parameters='{"eps": "0.1"}'), family[0], attacked.clean, attacked.labels)
    alone = engine.run(attacks.FGSM(eps=0.1), family[0], attacked.clean, attacked.labels)
    right = float((alone.prediction == attacked.labels).double().mean())
    assert result.artifacts["accuracy"].rows[1][1] == f"{100 * right:.1f} %"


def test_what_cannot_be_done_without_is_asked_for() -> None:
    class Needy(engine.Operation):
        slug, title, family = "needy", "Needy", "Test"
        uses = needs = frozenset({"models"})

        def iterate(self, problem: engine.Problem) -> Iterator[engine.Step]:
            yield engine.Step(len(problem.models), None)

    model = linear_classifier(5, (1, 8, 8))
    image = torch.rand(1, 1, 8, 8)
    with pytest.raises(engine.GibbonError, match="Needy"):
        engine.start(Needy(), model, image)
    assert next(engine.start(Needy(), model, image, models=[model])).index == 1


@pytest.mark.parametrize(
    ("labels", "known", "numbers"),
    [
        (("cat", "dog"), ("dog", "cat"), (1, 0)),
        (("Stop sign", "No_entry"), ("no entry", "stop-sign", "yield"), (1, 0)),
        (("cat", "dog"), ("cat", "wolf"), (0, None)),
        (("cat", "cat"), ("cat", "dog"), (None, None)),
        (("cat", "dog"), ("cat", "cat", "dog"), (None, 2)),
        (("0", "1"), ("airplane", "bird"), (None, None)),
        (("0", "1"), ("1", "0"), (1, 0)),
    ],
)
def test_classes_of_two_models_match_by_name_alone(
    labels: tuple[str, ...], known: tuple[str, ...], numbers: tuple[int | None, ...]
) -> None:
    from engine.class_matching import same_classes

    assert same_classes(labels, known) == numbers
