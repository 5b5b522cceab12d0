"""Every operation on a GPU that is pretended: no tensor left on the CPU, the CPU's results, and waits that do not grow with the steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.defenses.training import Train
from engine.evaluate import transfer
from engine.evaluate.curves import RobustnessCurve
from engine.evaluate.tables import TableAttack, TableSpec, evaluate_table
from engine.explain import GradientSaliency, observe
from engine.operation import Attack
from tests.engine.conftest import small_network
from tests.engine.variants import EACH, situation, small_data
from tests.pretended_gpu import Gpu, Pretended, pretended_gpu

NEAR = 1e-5


def on(device: str, seed: int = 0) -> engine.Classifier:
    return engine.Classifier(small_network(seed=seed), [f"class {i}" for i in range(5)], (3, 8, 8), name=f"small {seed}", device=device)


def given(attack: Attack, classifier: engine.Classifier, images: Tensor) -> dict[str, Any]:
    """What the attack cannot do without, on the CPU, as a script would give it."""
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 3:8] = 1
    return situation(attack, classifier, images) | ({"mask": mask} if "mask" in attack.needs else {})


@pytest.fixture
def batch() -> Tensor:
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def held(value: Tensor) -> Tensor:
    """The values of a tensor that has to lie on the pretended device."""
    assert isinstance(value, Pretended), "the result lies on the CPU"
    return value.held


def test_it_refuses_tensors_of_two_devices() -> None:
    """The proof can fail."""
    with pretended_gpu(), pytest.raises(RuntimeError, match="at least two devices"):
        torch.rand(2, device="cuda") + torch.rand(2)
    with pretended_gpu(float64=False), pytest.raises(TypeError, match="float64"):
        torch.rand(2, device="cuda").double()
    with pretended_gpu() as gpu:
        float(torch.rand(2, device="cuda").sum())
    assert gpu.waited == 1


@pytest.mark.parametrize("attack", EACH)
def test_an_attack_gives_what_it_gives_on_the_cpu(attack: Attack, batch: Tensor) -> None:
    here = on("cpu")
    expected = engine.run(attack, here, batch, seed=3, **given(attack, here, batch))
    with pretended_gpu(float64=False):  # as Apple's GPUs, which know no float64
        found = engine.run(attack, on("cuda"), batch, seed=3, **given(attack, here, batch))
        torch.testing.assert_close(held(found.adversarial), expected.adversarial, atol=NEAR, rtol=0)
        assert found.success.tolist() == expected.success.tolist()
        assert found.survives_8bit.tolist() == expected.survives_8bit.tolist()
        assert found.remarks == expected.remarks
        for name, values in expected.norms.items():
            torch.testing.assert_close(held(found.norms[name]), values, atol=NEAR, rtol=NEAR)
        assert set(found.artifacts) == set(expected.artifacts)
        assert found.forwards >= expected.forwards  # rows that are done may stay in the batch where leaving would mean waiting


def test_an_explanation_and_an_observation_are_the_cpu_s(batch: Tensor) -> None:
    first, second = batch[:2]
    maps = engine.run(GradientSaliency(), on("cpu"), batch).artifacts["saliency"].values
    expected = observe(on("cpu"), first, second, explanations=[GradientSaliency()])
    with pretended_gpu(float64=False):
        there = engine.run(GradientSaliency(), on("cuda"), batch).artifacts["saliency"].values
        torch.testing.assert_close(torch.as_tensor(getattr(there, "held", there)), maps, atol=NEAR, rtol=0)
        found = observe(on("cuda"), first, second, explanations=[GradientSaliency()])
        assert [(spike.site, spike.channel, spike.y, spike.x) for spike in found.spikes] == [
            (spike.site, spike.channel, spike.y, spike.x) for spike in expected.spikes
        ]


def test_training_ends_with_the_cpu_s_weights() -> None:
    data = small_data(on("cpu"))
    train = Train(epochs=2, batch_size=8, augment="none", mixed_precision=False)  # bfloat16 has other bits
    expected = engine.run(train, on("cpu"), data=data, seed=5).artifacts["model"].module.state_dict()
    with pretended_gpu(float64=False):
        found = engine.run(train, on("cuda"), data=data, seed=5).artifacts["model"].module.state_dict()
        for name, values in expected.items():
            torch.testing.assert_close(torch.as_tensor(getattr(found[name], "held", found[name])), values, atol=1e-4, rtol=1e-4)


def test_a_transfer_asks_models_of_either_device(batch: Tensor) -> None:
    attack = attacks.FGSM(eps=0.1)
    expected = transfer(engine.run(attack, on("cpu"), batch), [on("cpu", 1), on("cpu", 2)])
    with pretended_gpu(float64=False):
        found = transfer(engine.run(attack, on("cuda"), batch), [on("cpu", 1), on("cuda", 2)])
        assert [verdict.rate for verdict in found.verdicts] == [verdict.rate for verdict in expected.verdicts]


@pytest.mark.parametrize("attack", [attacks.PGD(eps=0.1, steps=3), attacks.DeepFool(steps=3, refine=0)], ids=["pgd", "deepfool"])
def test_a_table_and_a_curve_are_the_cpu_s(attack: Attack) -> None:
    data = small_data(on("cpu"))
    spec = TableSpec(models=["one", "two"], data=["set"], attacks=[TableAttack.of(attack)], crafted_on=["itself", "one"])

    def numbers(one: engine.Classifier, two: engine.Classifier) -> tuple[Any, Any]:
        with evaluate_table(spec, classifiers={"one": one, "two": two}, sets={"set": data}) as run:
            for _ in run:
                pass
        results = run.result()
        assert not results.errors
        shares = [(cell.robust, cell.success_8bit, cell.transfer) for cell in results.cells.values()]
        replayed = results.cell("two", results.columns[0])
        replayed.adversarial(1)  # compared with its hash
        curve = engine.run(RobustnessCurve.of(attack, halvings=3), one, data=data, models=[two])
        return shares, [list(line) for line in curve.artifacts["images"].rows]

    expected = numbers(on("cpu"), on("cpu", 1))
    with pretended_gpu(float64=False):
        found = numbers(on("cuda"), on("cuda", 1))
        mixed = numbers(on("cuda"), on("cpu", 1))
    assert found[0] == mixed[0] == expected[0]
    for row, there, other in zip(expected[1], found[1], mixed[1], strict=True):
        assert there == pytest.approx(row, abs=NEAR)
        assert other == pytest.approx(row, abs=NEAR)


def waited(attack: Attack, images: Tensor) -> Gpu:
    """The device after one run, the model's loading left out."""
    with pretended_gpu() as gpu:
        classifier = on("cuda")
        there, needed = images.to("cuda"), given(attack, classifier, images)
        gpu.waits.clear()
        engine.run(attack, classifier, there, seed=0, **needed)
        return gpu


# What a run waits for: the images' and the labels' range before it, and whether gradients were zero after it; a mask is checked, too,
# and a search for a mask reads its map.
WAITS = {"noise": 4, "sticker": 8, "adversarial-patch": 8, "rp2": 8}
"""How often a run waits for the device at most, whatever the number of its steps."""
WAITS_ELSE = 5
STEADY = {
    "fgsm": lambda steps: attacks.FGSM(eps=0.1),
    "fgsm-l2": lambda steps: attacks.FGSM(eps=0.5, norm="l2"),
    "pgd": lambda steps: attacks.PGD(steps=steps),
    "pgd-l2": lambda steps: attacks.PGD(steps=steps, norm="l2", eps=0.5),
    "pgd-l1": lambda steps: attacks.PGD(steps=steps, norm="l1", eps=8.0),
    "pgd-restarts": lambda steps: attacks.PGD(steps=steps, restarts=3),
    "mi-fgsm": lambda steps: attacks.MIFGSM(steps=steps),
    "apgd": lambda steps: attacks.APGD(steps=steps, drop_fooled=False),
    "apgd-dlr": lambda steps: attacks.APGD(steps=steps, drop_fooled=False, loss="dlr"),
    "sticker": lambda steps: attacks.StickerPGD(steps=steps),
    "adversarial-patch": lambda steps: attacks.AdversarialPatch(steps=steps, samples=3, fresh=0),
    "rp2": lambda steps: attacks.RP2(steps=steps, search_steps=steps, samples=3, fresh=0),
    "noise": lambda steps: attacks.Noise(draws=steps),
}


@pytest.mark.parametrize("name", STEADY)
def test_a_run_waits_as_often_whatever_its_steps(name: str, batch: Tensor) -> None:
    few, many = (waited(STEADY[name](steps), batch[:1]) for steps in (8, 32))
    assert few.waited == many.waited, f"{few.waits} against {many.waits}"
    assert many.waited <= WAITS.get(name, WAITS_ELSE), f"{many.waits}"
