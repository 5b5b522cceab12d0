"""The name of a loss says what is plotted: the values of every attack are computed again from its logits by that name."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import engine
from engine import attacks
from engine.loss_names import loss_name, loss_name_of
from engine.operation import Attack
from engine.timeline import KeptStep, Timeline
from tests.engine.variants import IDS, VARIANTS, situation


def margin(logits: Tensor, of: int) -> Tensor:
    others = logits.clone()
    others[:, of] = -torch.inf
    return others.amax(1) - logits[:, of]


def by_name(name: str, step: KeptStep, result: engine.AttackResult) -> Tensor | None:
    """The loss that a name promises; None for the names that need more than the logits of the step's images."""
    if ", mean over " in name:
        return None
    assert step.logits is not None
    what, _, target = name.partition(" towards ")
    labels, sign = list(result.classifier.labels), -1 if target else 1
    of = int(result.labels[0]) if not target else labels.index(target)
    if what == ("−cross-entropy" if target else "cross-entropy"):
        return sign * F.cross_entropy(step.logits, torch.tensor([of]), reduction="none")
    return sign * margin(step.logits, of) if what == "margin" else None


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("attack", VARIANTS, ids=IDS)
def test_the_values_are_those_of_the_name(attack: Attack, targeted: bool, small64: engine.Classifier, images: Tensor) -> None:
    given = situation(attack, small64, images[:1])
    label = small64.predict(images[:1])
    if targeted and "targets" in attack.uses and getattr(attack, "towards", "label or target") == "label or target":
        given |= {"labels": label, "targets": (label + 2) % 5}
    elif targeted:
        pytest.skip("it takes no target")
    if attack.masked:
        given["mask"] = torch.ones(1, 1, 8, 8, dtype=images.dtype)
    line = Timeline()
    try:
        with engine.start(attack, small64, images[:1], record=line, seed=2, **given) as run:
            for _ in run:
                pass
            result = run.result()
    except engine.GibbonError as error:
        pytest.skip(str(error))
    assert isinstance(result, engine.AttackResult)
    name = loss_name_of(result)
    step = line.steps[-1]
    expected = by_name(name, step, result) if "chosen class" not in name else None
    if expected is not None:
        torch.testing.assert_close(step.loss, expected, rtol=1e-6, atol=1e-6, msg=lambda text: f"{name}: {text}")
    else:
        assert any(
            word in name for word in ("mean over transformations", "DLR", "swapped", "−(loss", "−distance", "chosen class", "substitute's")
        ), name


def test_names() -> None:
    assert loss_name(attacks.PGD()) == "cross-entropy"
    assert loss_name(attacks.PGD(), "Yield") == "−cross-entropy towards Yield"
    assert loss_name(attacks.PGD(loss="margin"), "Yield") == "margin towards Yield"
    assert loss_name(attacks.FGSM(towards="least likely")) == "−cross-entropy towards the chosen class"
    assert loss_name(attacks.FGSM(towards="least likely"), "Yield") == "−cross-entropy towards Yield"
    assert loss_name(attacks.DeepFool()) == "margin"
    assert loss_name(attacks.HopSkipJump()) == "−distance"
    assert loss_name(attacks.HopSkipJump(), "Yield") == "−distance"
