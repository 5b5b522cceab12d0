"""What is measured: every attack with its libraries, the same model, images and budget, and what is asked of the ratio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine import attacks
from tests.benchmarks.libraries import Task, art, foolbox, torchattacks
from tests.benchmarks.measuring import Attacker, bare, library, ours


@dataclass(frozen=True)
class Case:
    """One comparison."""

    title: str
    model: str
    """"digits", "objects" or "imagenet"."""
    attackers: Callable[[Task], Sequence[Attacker]]
    norm: str = "linf"
    """By which successes are compared; "share" for the share of changed values."""
    images: int = 100
    repeats: int = 5
    targeted: bool = False
    faster: Mapping[str, float] = field(default_factory=dict)
    """Library, or "fastest", to how many times faster than it ours must be."""
    strong_enough: float = 0.0
    """Percent of success below which a library is not the yardstick of speed."""
    most_of_bare: float | None = None
    """At most so many times the bare passes."""
    success: float | None = None
    """Percent that ours must reach."""
    size: float | None = None
    """Median norm that ours must not exceed."""
    warm_up: bool = True


def _fgsm(eps: float) -> Callable[[Task], Sequence[Attacker]]:
    return lambda task: [
        ours(attacks.FGSM(eps=eps)),
        bare(2, 1),
        library("Foolbox", foolbox(lambda fb: fb.LinfFastGradientAttack(), eps)),
        library("torchattacks", torchattacks(lambda ta, model: ta.FGSM(model, eps=eps))),
        library("ART", art(lambda a, c: a.FastGradientMethod(c, eps=eps, batch_size=task.rows))),
    ]


def _pgd(eps: float, steps: int) -> Callable[[Task], Sequence[Attacker]]:
    size = 2.5 * eps / steps
    return lambda task: [
        ours(attacks.PGD(eps=eps, steps=steps, step_size=size)),
        bare(steps + 1, steps),
        library("Foolbox", foolbox(lambda fb: fb.LinfPGD(steps=steps, abs_stepsize=size), eps)),
        library("torchattacks", torchattacks(lambda ta, model: ta.PGD(model, eps=eps, alpha=size, steps=steps))),
        library(
            "ART",
            art(
                lambda a, c: a.ProjectedGradientDescent(
                    c, eps=eps, eps_step=size, max_iter=steps, num_random_init=1, batch_size=task.rows, verbose=False
                )
            ),
        ),
    ]


def _deepfool(task: Task) -> Sequence[Attacker]:
    return [
        ours(attacks.DeepFool()),
        library("Foolbox", foolbox(lambda fb: fb.L2DeepFoolAttack(steps=50, candidates=10))),
        library("torchattacks", torchattacks(lambda ta, model: ta.DeepFool(model, steps=50, overshoot=0.02))),
        library("ART", art(lambda a, c: a.DeepFool(c, max_iter=50, nb_grads=10, batch_size=task.rows, verbose=False))),
    ]


def _cw(task: Task) -> Sequence[Attacker]:
    return [
        ours(attacks.CarliniWagnerL2()),
        library("Foolbox 5 x 100", foolbox(lambda fb: fb.L2CarliniWagnerAttack(binary_search_steps=5, steps=100))),
        library("Foolbox 6 x 150", foolbox(lambda fb: fb.L2CarliniWagnerAttack(binary_search_steps=6, steps=150))),
        library("Foolbox 9 x 300", foolbox(lambda fb: fb.L2CarliniWagnerAttack(binary_search_steps=9, steps=300))),
        library("torchattacks", torchattacks(lambda ta, model: ta.CW(model, c=1, steps=1000, lr=0.01))),
        library("ART", art(lambda a, c: a.CarliniL2Method(c, max_iter=10, binary_search_steps=10, batch_size=task.rows, verbose=False))),
    ]


def _jsma(task: Task) -> Sequence[Attacker]:
    return [
        ours(attacks.JSMA()),
        library("torchattacks", torchattacks(lambda ta, model: ta.JSMA(model, theta=1.0, gamma=0.145))),
        library("ART", art(lambda a, c: a.SaliencyMapMethod(c, theta=1.0, gamma=0.145, batch_size=task.rows, verbose=False))),
    ]


def _one_pixel(task: Task) -> Sequence[Attacker]:
    # torchattacks' population is popsize rows, its steps generations; ART's members and generations are fixed: 400 and at most 100.
    return [
        ours(attacks.OnePixel(population=40, generations=24)),
        library("torchattacks", torchattacks(lambda ta, model: ta.OnePixel(model, pixels=1, steps=24, popsize=40, inf_batch=1024))),
    ]


def _square(queries: int) -> Callable[[Task], Sequence[Attacker]]:
    return lambda task: [
        ours(attacks.Square(eps=0.15, n_queries=queries)),
        library("torchattacks", torchattacks(lambda ta, model: ta.Square(model, norm="Linf", eps=0.15, n_queries=queries))),
        library("ART", art(lambda a, c: a.SquareAttack(c, eps=0.15, max_iter=queries, batch_size=task.rows, verbose=False))),
    ]


def _apgd(task: Task) -> Sequence[Attacker]:
    return [
        ours(attacks.APGD(eps=0.1, steps=100)),
        library("torchattacks", torchattacks(lambda ta, model: ta.APGD(model, norm="Linf", eps=0.1, steps=100))),
        library(
            "ART",
            art(
                lambda a, c: a.AutoProjectedGradientDescent(
                    c, eps=0.1, eps_step=0.2, max_iter=100, nb_random_init=1, batch_size=task.rows, verbose=False
                )
            ),
        ),
    ]


def _ddn(task: Task) -> Sequence[Attacker]:
    return [ours(attacks.DDN()), library("Foolbox", foolbox(lambda fb: fb.DDNAttack(steps=100)))]


def _fmn(task: Task) -> Sequence[Attacker]:
    return [ours(attacks.FMN(norm="linf")), library("Foolbox", foolbox(lambda fb: fb.LInfFMNAttack(steps=100)))]


def _hop_skip_jump(task: Task) -> Sequence[Attacker]:
    return [
        ours(attacks.HopSkipJump(steps=10)),
        library("Foolbox", foolbox(lambda fb: fb.HopSkipJumpAttack(steps=10))),
        library("ART", art(lambda a, c: a.HopSkipJump(c, max_iter=10, verbose=False))),
    ]


def _noise(task: Task) -> Sequence[Attacker]:
    return [ours(attacks.Noise(eps=0.1), "random noise, eps 0.1"), ours(attacks.Noise(eps=0.3), "random noise, eps 0.3")]


CASES: dict[str, Case] = {
    "noise": Case("Random noise (the control)", "digits", _noise),
    "fgsm": Case("FGSM, eps 0.1", "digits", _fgsm(0.1), repeats=31, faster={"fastest": 1.0}, most_of_bare=1.05),
    "fgsm-1": Case("FGSM, one image", "digits", _fgsm(0.1), images=1, repeats=101, faster={"fastest": 1.0}, most_of_bare=1.3),
    "pgd": Case("PGD-40, eps 0.1", "digits", _pgd(0.1, 40), repeats=9, faster={"fastest": 1.0}, most_of_bare=1.05),
    "pgd-1": Case("PGD-40, one image", "digits", _pgd(0.1, 40), images=1, repeats=31, faster={"fastest": 1.0}, most_of_bare=1.3),
    "pgd-imagenet": Case(
        "PGD-10, eps 1/255, SqueezeNet", "imagenet", _pgd(1 / 255, 10), images=16, repeats=1, faster={"fastest": 1.0}, most_of_bare=1.05
    ),
    "pgd-imagenet-1": Case(
        "PGD-10, eps 1/255, SqueezeNet, one image",
        "imagenet",
        _pgd(1 / 255, 10),
        images=1,
        repeats=5,
        faster={"fastest": 1.0},
        most_of_bare=1.3,
    ),
    "apgd": Case("APGD, eps 0.1, 100 steps", "digits", _apgd, repeats=3, faster={"fastest": 1.0}),
    "deepfool": Case("DeepFool, L2", "digits", _deepfool, "l2", repeats=3, faster={"Foolbox": 3.0}, warm_up=False),
    "cw": Case(
        "Carlini & Wagner, L2",
        "digits",
        _cw,
        "l2",
        repeats=1,
        faster={"fastest": 5.0},
        strong_enough=98,
        success=100,
        size=1.45,
        warm_up=False,
    ),
    "ddn": Case("DDN, L2", "digits", _ddn, "l2", repeats=3, faster={"fastest": 1.0}),
    "fmn": Case("FMN, Linf", "digits", _fmn, "linf", repeats=3, faster={"fastest": 1.0}),
    "jsma": Case(
        "JSMA, theta 1",
        "digits",
        _jsma,
        "share",
        repeats=1,
        targeted=True,
        faster={"ART": 5.0, "torchattacks": 50.0},
        success=95,
        size=0.05,
        warm_up=False,
    ),
    "one-pixel": Case("One pixel, 1,000 evaluations", "objects", _one_pixel, "l0", images=20, repeats=1, faster={"fastest": 5.0}),
    "square": Case("Square, eps 0.15, 500 queries", "digits", _square(500), repeats=3, faster={"torchattacks": 1.3}),
    "hop-skip-jump": Case("HopSkipJump, 10 steps, L2", "digits", _hop_skip_jump, "l2", images=10, repeats=1, warm_up=False),
}
