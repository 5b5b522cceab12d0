"""Images that the classifier is sure of: gradients as small as exp(-margin) still make whole steps, and none at all is said."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.attacks.toolkit.directions import direction
from engine.attacks.toolkit.losses import ascent, assess
from engine.balls import normalised

MARGINS = [45.0, 60.0, 75.0]
W = torch.linspace(-1, 1, 16).add(0.03)


class _Sure(nn.Module):
    """Two logits, ``(0, w.x + b)`` or, with ``both``, ``(-w.x - b, w.x + b) / 2``: the label is 1, and b its margin at ``images()``."""

    def __init__(self, margin: float, both: bool = True) -> None:
        super().__init__()
        self.both, self.margin = both, margin
        self.register_buffer("w", W)

    def forward(self, x: Tensor) -> Tensor:
        lead = self.margin + 300 * ((x.flatten(1) - 0.5) @ self.w)
        return torch.stack([-lead / 2, lead / 2], 1) if self.both else torch.stack([torch.zeros_like(lead), lead], 1)


def sure(margin: float, both: bool = True) -> engine.Classifier:
    return engine.Classifier(_Sure(margin, both), ["a", "b"], (1, 4, 4), name="sure", device="cpu")


def images(n: int = 2) -> Tensor:
    return torch.full((n, 1, 4, 4), 0.5)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("scale", [1e-42, 1e-37, 1e-25, 1e-15, 1.0, 1e30])
def test_a_normalised_row_has_length_one_whatever_its_scale(scale: float, p: int) -> None:
    gradient = scale * torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    gradient[1] = 0
    lengths = normalised(gradient, p).flatten(1).norm(p=p, dim=1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 0.0, 1.0]))


@pytest.mark.parametrize("name", ["max", "truncated"])
def test_directions_do_not_know_the_scale(name: str) -> None:
    gradient = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    gradient[1] = 0
    plain = direction(name, gradient, "linf", 0.9)  # type: ignore[arg-type]
    for exponent in (-100, -60, 60):
        assert torch.equal(direction(name, gradient * 2.0**exponent, "linf", 0.9), plain)  # type: ignore[arg-type]


_L2 = {"norm": "l2", "eps": 0.3}
_LOOP = {"eps": None, "steps": 20, "step_size": 0.05, "random_start": False}


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("both", [True, False], ids=["both logits", "the label's logit"])
@pytest.mark.parametrize(
    "attack",
    [
        attacks.FGSM(eps=0.05),
        attacks.FGSM.build(**_L2),
        attacks.FGSM(norm="l1", eps=1.0),
        attacks.RandFGSM(eps=0.1),
        attacks.PGD(eps=0.05, steps=5),
        attacks.PGD.build(**_L2, steps=5, random_start=False),
        attacks.PGD.build(**_L2, steps=5),
        attacks.PGD.build(**_LOOP, direction="max"),
        attacks.PGD.build(**_LOOP, direction="truncated"),
        attacks.MIFGSM(eps=0.05),
        attacks.MIFGSM.build(**_L2),
        attacks.APGD(eps=0.05, steps=10),
        attacks.APGD.build(**_L2, steps=10),
        attacks.DDN(steps=20),
    ],
    ids=lambda attack: f"{attack.slug}-{attack.norm}-{getattr(attack, 'direction', '')}",
)
def test_no_margin_makes_an_attack_stand_still(attack: engine.Attack, both: bool, margin: float) -> None:
    classifier, labels = sure(margin, both), torch.ones(2, dtype=torch.int64)
    result = engine.run(attack, classifier, images(), labels=labels)
    assert result.success.all()
    assert not result.notes


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("margin", [5.0, 25.0, 50.0, *MARGINS])
def test_one_step_in_l2_is_as_long_as_asked(norm: str, margin: float) -> None:
    result = engine.run(attacks.FGSM.build(norm=norm, eps=0.1), sure(margin), images(), labels=torch.ones(2, dtype=torch.int64))
    torch.testing.assert_close(result.norms[norm], torch.full((2,), 0.1))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("margin", [10.0, 16.0, 17.0, 30.0, 60.0, 79.0, 81.0, 200.0])
def test_the_labels_slope_is_never_nothing(margin: float, targeted: bool) -> None:
    """In float32 it is ``p - 1``, which is rounded to 0 beyond 17; the other logits' slopes stay the literal ones."""
    logits = torch.tensor([[margin, 0.3, -1.0]], requires_grad=True)
    classes = torch.tensor([0])
    given = (torch.tensor([1]), classes) if targeted else (classes, None)
    sign = -1 if targeted else 1
    assessed = assess("ce", logits, *given)
    slope = torch.autograd.grad(assessed.value, logits, assessed.weights)[0]
    logits = logits.detach()
    graph = logits.clone().requires_grad_()
    raised = ascent("ce", graph, *given)
    torch.testing.assert_close(slope, torch.autograd.grad(raised.sum(), graph)[0], rtol=1e-4, atol=0)
    assert sign * slope[0, 0] < 0
    assert bool((sign * slope[0, 1:] > 0).all())
    if margin < 80:
        torch.testing.assert_close(sign * slope[0, 1:], logits.softmax(1)[0, 1:], rtol=1e-6, atol=0)


# ---------------------------------------------------------------------------------------------------------------- no gradient at all


class _HalfFlat(nn.Module):
    """A network whose rectifier is dead where the first pixel is black: every gradient of such an image is exactly zero."""

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        lead = (flat[:, :1] > 0.1) * (2 + (flat - 0.5) @ W[:, None])
        return torch.cat([-lead, lead, lead / 3 - 1], 1)


_NO_DIRECTION = [
    attacks.FGSM(),
    attacks.RandFGSM(eps=0.02),
    attacks.PGD(steps=2),
    attacks.PGD(steps=2, restarts=3),
    attacks.PGD(steps=2, towards="likeliest others", random_start=False),
    attacks.MIFGSM(steps=2),
    attacks.APGD(steps=4, restarts=2),
    attacks.JSMA(),
    attacks.JSMA(derivatives="logits"),
    attacks.DeepFool(),
    attacks.DDN(steps=2),
    attacks.FMN(steps=2),
]


@pytest.mark.parametrize("rows_at_a_time", [None, 3])
@pytest.mark.parametrize("attack", _NO_DIRECTION, ids=lambda attack: attack.slug)
def test_images_without_a_gradient_are_named(attack: engine.Attack, rows_at_a_time: int | None) -> None:
    classifier = engine.Classifier(_HalfFlat(), ["a", "b", "c"], (1, 4, 4), name="half flat", device="cpu")
    x = images(8)
    x[[2, 5], 0, 0, 0] = 0.0
    labels = classifier.predict(x)
    result = engine.run(attack, classifier, x, labels=labels, rows_at_a_time=rows_at_a_time)
    assert [note for note in result.notes if note.startswith("The gradient of 2 of 8 images is exactly zero")]
    assert not engine.run(attack, classifier, x[:2], labels=labels[:2]).notes
    one = engine.run(attack, classifier, x[2:3], labels=labels[2:3])
    assert one.notes[0].startswith("The gradient of the image is exactly zero")
