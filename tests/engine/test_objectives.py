"""Training objectives: each one's rows and loss against a slow reference that is written from the paper's formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.defenses.objectives import CATALOGUE, Batch, DualBatchNorm, Objective, Trainee, read, words
from engine.errors import GibbonError
from engine.randomness import BatchRandom

CLASSES = 4


class _Recorded:
    """Random numbers that are remembered, so that a reference can use the same ones."""

    def __init__(self, seed: int, rows: int) -> None:
        self._random = BatchRandom(torch.Generator().manual_seed(seed), rows)
        self.drawn: list[Tensor] = []

    def uniform(self, shape: Any) -> Tensor:
        self.drawn.append(self._random.uniform(shape))
        return self.drawn[-1]

    def normal(self, shape: Any) -> Tensor:
        self.drawn.append(self._random.normal(shape))
        return self.drawn[-1]


def _network(norm: bool = False) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        layers: list[nn.Module] = [nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(6 * 64, CLASSES)]
        if norm:
            layers.insert(1, nn.BatchNorm2d(6))
        return nn.Sequential(*layers).double()


def _trainee(network: nn.Module, rows: int = 6, epoch: float = 5.0, seed: int = 3) -> Trainee:
    return Trainee(network, lambda images: (images - 0.4) / 0.3, _Recorded(seed, rows), CLASSES, epoch)  # type: ignore[arg-type]


def _drawn(trainee: Trainee) -> list[Tensor]:
    return [each.double() for each in trainee.random.drawn]  # type: ignore[attr-defined]


def _batch(rows: int = 6) -> Batch:
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(rows, 1, 8, 8, generator=draw, dtype=torch.float64)
    labels = torch.arange(rows) % CLASSES
    return Batch(images, images, labels, 0, rows)


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    return network((images - 0.4) / 0.3)  # type: ignore[no-any-return]


def _gradient(network: nn.Module, image: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the gradient for one image ``(1, C, H, W)``."""
    image = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(_logits(network, image)), image)
    return gradient


def _made(text: str) -> Objective:
    (part,) = read(text)
    return part


def _total(recipe: tuple[Objective, ...], batch: Batch, trainee: Trainee) -> Tensor:
    for part in recipe:
        batch = part.rows(batch, trainee)
    logits = trainee.logits(batch.images)
    loss = batch.cross_entropy(logits)
    for part in recipe:
        loss = part.loss(loss, logits, batch, trainee)
    return loss


# ------------------------------------------------------------------ data and targets


def test_gaussian_noise_has_its_share_and_its_size() -> None:
    part, rows = _made("gaussian sigma=0.3 copies=10"), 20_000
    images = torch.full((rows, 1, 2, 2), 0.5)
    batch = Batch(images, images, torch.zeros(rows, dtype=torch.long), 0, rows)
    noise = part.rows(batch, Trainee(nn.Identity(), lambda x: x, BatchRandom(torch.Generator().manual_seed(0), rows), 2)).images - images
    noisy = noise.flatten(1).abs().amax(1) > 0
    assert float(noisy.float().mean()) == pytest.approx(10 / 11, abs=0.01)
    assert float(noise[noisy].std()) == pytest.approx(0.3, abs=0.005)
    assert noise.min() < -0.5  # beyond black: the paper does not clip
    assert _made("gaussian sigma=0.3 clip=true").rows(batch, _plain(rows)).images.min() >= 0


def _plain(rows: int) -> Trainee:
    return Trainee(nn.Identity(), lambda x: x, BatchRandom(torch.Generator().manual_seed(0), rows), 2)


def test_label_smoothing_is_torchs_own_with_its_other_parameter() -> None:
    network, batch = _network(), _batch()
    loss = _total(read("label-smoothing confidence=0.9"), batch, _trainee(network))
    s = 0.1 * CLASSES / (CLASSES - 1)
    assert torch.allclose(loss, F.cross_entropy(_logits(network, batch.images), batch.labels, label_smoothing=s))


def test_squares_are_covered_by_the_mean_and_have_their_size() -> None:
    part = _made("covered-squares count=1 smallest=0.25 largest=0.5")
    images = torch.rand(500, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    changed = part.rows(Batch(images, images, torch.zeros(500, dtype=torch.long), 0, 500), _plain(500)).images
    differs = (changed != images).any(1)
    sides = set()
    for image, new, mask in zip(images, changed, differs, strict=True):
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        sides.add(len(rows))
        assert len(rows) == len(columns) == int(rows[-1] - rows[0] + 1)
        assert torch.allclose(new[:, rows[0], columns[0]], image.mean((1, 2)))
    assert sides == set(range(4, 9))
    assert {int(mask.nonzero()[0, 0]) for mask in differs} >= {0, 8}  # every place is taken, the edge too


# ------------------------------------------------------------------ adversarial images


@pytest.mark.parametrize("direction", ["label", "least-likely"])
def test_mixed_batches_have_the_papers_loss(direction: str) -> None:
    """Kurakin et al.: ``(sum_clean CE + lambda sum_adversarial CE) / ((m - k) + lambda k)``, the first k rows moved by one step."""
    network, batch, k, weight = _network(), _batch(), 2, 0.3
    trainee = _trainee(network)
    loss = _total(read(f"fgsm k={k} weight={weight} eps=0.1 direction={direction} varied=true"), batch, trainee)
    sizes = (0.05 * _drawn(trainee)[0].abs()).clamp_max(0.1)
    total = torch.zeros((), dtype=torch.float64)
    for row, (image, label) in enumerate(zip(batch.images.split(1), batch.labels.split(1), strict=True)):
        if row < k:
            goal = label if direction == "label" else _logits(network, image).argmin(1)
            toward = 1 if direction == "label" else -1
            step = _gradient(network, image, lambda logits, goal=goal: F.cross_entropy(logits, goal)).sign()
            image = (image + toward * sizes[row] * step).clamp(0, 1)
        total = total + (weight if row < k else 1.0) * F.cross_entropy(_logits(network, image), label)
    assert torch.allclose(loss, total / (len(batch.images) - k + weight * k))


def test_fgsm_beside_mixes_two_losses() -> None:
    network, batch = _network(), _batch()
    loss = _total(read("fgsm eps=0.25 varied=false direction=label placed=beside weight=0.5 clip=false"), batch, _trainee(network))
    moved = batch.images + 0.25 * torch.cat(
        [
            _gradient(network, image, lambda logits, label=label: F.cross_entropy(logits, label)).sign()
            for image, label in zip(batch.images.split(1), batch.labels.split(1), strict=True)
        ]
    )
    own = F.cross_entropy(_logits(network, batch.images), batch.labels)
    assert torch.allclose(loss, 0.5 * own + 0.5 * F.cross_entropy(_logits(network, moved), batch.labels))


def test_fgsm_with_dropout_takes_its_gradient_through_dropped_units_and_batch_statistics_stay() -> None:
    """The step beside is that of one pass with its own dropped units: `nn.Dropout` draws the same again from the same state."""
    moments = torch.full((12,), 0.3, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        dense, drop = nn.Linear(64, 12), nn.Dropout(0.5)
        hidden = nn.Sequential(nn.Flatten(), dense, nn.BatchNorm1d(12), nn.ReLU(), drop, nn.Linear(12, 4)).double()
    hidden[2].running_mean = moments.clone()
    batch, made = _batch(), []
    for dropout in (False, True):
        state = torch.get_rng_state()
        recipe = f"fgsm eps=0.1 varied=false direction=label clip=false k=5 dropout={str(dropout).lower()}"
        made.append(_made(recipe).rows(batch, _trainee(hidden)).images[:5])
        assert all(module.training for module in hidden.modules())
        assert torch.equal(hidden[2].running_mean, moments)  # type: ignore[arg-type]
        torch.set_rng_state(state)
        hidden.eval()
        drop.train(dropout)
        x = batch.images[:5].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(_logits(hidden, x), batch.labels[:5], reduction="sum"), x)
        hidden.train()
        assert torch.allclose(made[-1], batch.images[:5] + 0.1 * gradient.sign(), atol=1e-6)
    assert not torch.equal(made[0], made[1])


def test_no_adversarial_rows_is_plain_training() -> None:
    network, batch = _network(), _batch()
    plain = _total((), batch, _trainee(network))
    assert torch.equal(plain, F.cross_entropy(_logits(network, batch.images), batch.labels))
    assert torch.allclose(_total(read("gradient-regularisation weight=0"), batch, _trainee(network)), plain)
    assert torch.allclose(_total(read("vat weight=0"), batch, _trainee(network)), plain)
    assert torch.allclose(_total(read("trades beta=0"), batch, _trainee(network)), plain)
    assert torch.allclose(_total(read("gaussian sigma=0"), batch, _trainee(network)), plain)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_rows_are_those_of_a_slow_loop(norm: str) -> None:
    network, batch, eps, steps = _network(), _batch(), 0.2, 3
    trainee = _trainee(network)
    made = _made(f"pgd norm={norm} eps={eps} steps={steps} ramp=0").rows(batch, trainee).images
    drawn = _drawn(trainee)
    for row, (image, label) in enumerate(zip(batch.images.split(1), batch.labels.split(1), strict=True)):
        if norm == "linf":
            delta = eps * (2 * drawn[0][row : row + 1] - 1)
        else:
            direction = drawn[0][row : row + 1]
            delta = eps * direction / direction.norm() * drawn[1][row] ** (1 / 64)
        delta = (image + delta).clamp(0, 1) - image
        for _ in range(steps):
            gradient = _gradient(network, image + delta, lambda logits, label=label: F.cross_entropy(logits, label))
            step = gradient.sign() if norm == "linf" else gradient / gradient.norm()
            delta = delta + eps / 4 * step
            delta = delta.clamp(-eps, eps) if norm == "linf" else delta * min(1.0, eps / float(delta.norm()))
            delta = (image + delta).clamp(0, 1) - image
        assert torch.allclose(made[row], (image + delta)[0], atol=1e-9)


def test_the_ramp_grows_the_ball() -> None:
    network, batch, part = _network(), _batch(), _made("pgd eps=0.2 ramp=2")
    for epoch, largest in ((0.0, 0.0), (1.0, 0.1), (2.0, 0.2), (9.0, 0.2)):
        moved = part.rows(batch, _trainee(network, epoch=epoch)).images - batch.images
        assert float(moved.abs().max()) == pytest.approx(largest, abs=1e-9)


def test_n_fgsm_is_one_step_from_noise_without_projection() -> None:
    network, batch, eps = _network(), _batch(), 0.1
    trainee = _trainee(network)
    made = _made(f"n-fgsm eps={eps}").rows(batch, trainee).images
    noise = 2 * eps * (2 * _drawn(trainee)[0] - 1)
    for row, (image, label) in enumerate(zip(batch.images.split(1), batch.labels.split(1), strict=True)):
        start = (image + noise[row]).clamp(0, 1)
        moved = start + eps * _gradient(network, start, lambda logits, label=label: F.cross_entropy(logits, label)).sign()
        assert torch.allclose(made[row], moved.clamp(0, 1)[0])
    assert float((made - batch.images).abs().max()) > eps  # beyond the ball, as the paper has it


def test_the_worst_transformation_is_the_worst_of_those_tried() -> None:
    network, batch = _network(), _batch()
    part = _made("worst-transformation tried=5 rotation=30 translation=0.2")
    trainee = _trainee(network)
    made = part.rows(batch, trainee).images
    drawn = 2 * _drawn(trainee)[0] - 1
    for row, label in enumerate(batch.labels.tolist()):
        views = torch.cat([part._transformed(batch.images[row : row + 1], drawn[row : row + 1, place]) for place in range(5)])  # type: ignore[attr-defined]
        losses = F.cross_entropy(_logits(network, views), torch.full((5,), label), reduction="none")
        assert torch.allclose(made[row], views[losses.argmax()])


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    part = _made("worst-transformation rotation=90 translation=0.25")
    image = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    turned = part._transformed(image, torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64))  # type: ignore[attr-defined]
    assert torch.allclose(turned, image.rot90(1, (2, 3)), atol=1e-6) or torch.allclose(turned, image.rot90(-1, (2, 3)), atol=1e-6)
    moved = part._transformed(image, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64))  # type: ignore[attr-defined]
    assert torch.allclose(moved[..., :6], image[..., 2:], atol=1e-6)


def test_stickers_change_a_square_and_raise_the_loss() -> None:
    network, batch = _network(), _batch()
    made = _made("stickers size=0.5 steps=10 share=1").rows(batch, _trainee(network)).images
    changed = (made != batch.images).any(1)
    for mask in changed:
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        assert len(rows) <= 4
        assert len(columns) <= 4
    loss = lambda images: F.cross_entropy(_logits(network, images), batch.labels, reduction="none")  # noqa: E731
    assert (loss(made) > loss(batch.images)).all()


# ------------------------------------------------------------------ added terms


def test_gradient_regularisation_is_the_squared_norm_of_each_images_own_gradient() -> None:
    network, batch, weight = _network(), _batch(), 3.0
    loss = _total(read(f"gradient-regularisation weight={weight}"), batch, _trainee(network))
    squares = [
        _gradient(network, image, lambda logits, label=label: F.cross_entropy(logits, label)).square().sum()
        for image, label in zip(batch.images.split(1), batch.labels.split(1), strict=True)
    ]
    own = F.cross_entropy(_logits(network, batch.images), batch.labels)
    assert torch.allclose(loss, own + weight * torch.stack(squares).mean())
    near = _total(read(f"gradient-regularisation weight={weight} exact=false h=0.0001"), batch, _trainee(network))
    assert float(near) == pytest.approx(float(loss), rel=1e-3)


def test_gradient_regularisations_second_derivative_agrees_with_finite_differences() -> None:
    network, batch = _network(), _batch()
    part = read("gradient-regularisation weight=10")
    weight = network[0].weight  # type: ignore[index]
    (gradient,) = torch.autograd.grad(_total(part, batch, _trainee(network)), weight)
    for place in (0, 13, 40):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weight.view(-1)[place] += step
            values.append(float(_total(part, batch, _trainee(network)).detach()))
            with torch.no_grad():
                weight.view(-1)[place] -= step
        assert float(gradient.view(-1)[place]) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4)


def test_trades_adds_the_divergence_at_the_worst_neighbour() -> None:
    network, batch, eps, beta = _network(), _batch(), 0.1, 6.0
    trainee = _trainee(network)
    loss = _total(read(f"trades eps={eps} steps=2 beta={beta}"), batch, trainee)
    noise = 0.001 * _drawn(trainee)[0]
    terms = []
    for row, image in enumerate(batch.images.split(1)):
        wanted = _logits(network, image).softmax(1)
        moved = image + noise[row]
        for _ in range(2):
            gradient = _gradient(
                network, moved, lambda logits, wanted=wanted: F.kl_div(logits.log_softmax(1), wanted.detach(), reduction="sum")
            )
            moved = (image + (moved + eps / 4 * gradient.sign() - image).clamp(-eps, eps)).clamp(0, 1)
        terms.append(F.kl_div(_logits(network, moved).log_softmax(1), wanted, reduction="sum"))
    own = F.cross_entropy(_logits(network, batch.images), batch.labels)
    assert torch.allclose(loss, own + beta * torch.stack(terms).mean(), atol=1e-6)


def test_vats_power_iteration_finds_the_first_eigenvector_of_the_divergence() -> None:
    """On a linear model the Hessian of the divergence is ``W^T (diag(p) - p p^T) W``."""
    draw = torch.Generator().manual_seed(5)
    weights = torch.randn(3, 2, generator=draw, dtype=torch.float64)
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3, bias=False).double())
    network[1].weight.data.copy_(weights)
    image = torch.rand(1, 1, 1, 2, generator=draw, dtype=torch.float64)
    p = (weights @ image.flatten()).softmax(0)
    hessian = weights.T @ (torch.diag(p) - torch.outer(p, p)) @ weights
    first = torch.linalg.eigh(hessian).eigenvectors[:, -1]
    trainee = Trainee(network, lambda x: x, BatchRandom(torch.Generator().manual_seed(1), 1), 3)
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    batch = Batch(image, image, torch.zeros(1, dtype=torch.long), 0, 1)
    _total(read("vat eps=0.5 iterations=10 xi=0.001"), batch, trainee)
    found = (seen[-1] - image).flatten()
    assert float(found.norm()) == pytest.approx(0.5)
    assert abs(float(found @ first)) / 0.5 > 0.99


def test_perturbed_passes_leave_the_running_statistics_alone() -> None:
    """Only the pass of the batch itself moves them."""
    for recipe in ("vat", "trades", "gradient-regularisation", "pgd ramp=0", "fgsm placed=beside", "advprop"):
        network, plain = _network(norm=True).train(), _network(norm=True).train()
        parts = read(recipe)
        for part in parts:
            part.dress(network)
        batch = _batch()
        for part in parts:
            batch = part.rows(batch, _trainee(network))
        _logits(plain, batch.images)
        logits = _trainee(network).logits(batch.images)
        before = [buffer.clone() for name, buffer in network.named_buffers() if "auxiliary" not in name]
        if recipe != "trades" and recipe != "fgsm placed=beside":  # these train on a second batch, which their papers count, too
            for part in parts:
                part.loss(batch.cross_entropy(logits), logits, batch, _trainee(network))
        after = [buffer for name, buffer in network.named_buffers() if "auxiliary" not in name]
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True)), recipe
        assert network.training


def test_advprop_adds_the_loss_through_the_auxiliary_statistics_and_drops_them() -> None:
    network = _network(norm=True).train()
    keys = list(network.state_dict())
    (part,) = read("advprop eps=0.1 steps=2 step_size=0.05")
    part.dress(network)
    doubled = next(module for module in network.modules() if isinstance(module, DualBatchNorm))
    seen: dict[str, list[Tensor]] = {"main": [], "auxiliary": []}
    doubled.main.register_forward_pre_hook(lambda _, inputs: seen["main"].append(inputs[0]))
    doubled.auxiliary.register_forward_pre_hook(lambda _, inputs: seen["auxiliary"].append(inputs[0]))
    batch, trainee = _batch(), _trainee(network)
    before = doubled.auxiliary.running_mean.clone()
    loss = _total((part,), batch, trainee)
    assert len(seen["main"]) == 1  # the clean batch, and nothing adversarial
    assert torch.allclose(seen["main"][0], network[0]((batch.images - 0.4) / 0.3))  # type: ignore[index]
    assert not torch.equal(before, doubled.auxiliary.running_mean)
    assert float(loss) > float(F.cross_entropy(trainee.logits(batch.images), batch.labels))
    part.undress(network)
    assert list(network.state_dict()) == keys


# ------------------------------------------------------------------ recipes


def test_parts_combine_in_their_order() -> None:
    network, batch = _network(), _batch()
    recipe = read("gaussian sigma=0.1 + label-smoothing + gradient-regularisation weight=2")
    trainee = _trainee(network)
    loss = _total(recipe, batch, trainee)
    noise, noisy = _drawn(trainee)
    images = batch.images + 0.1 * (noisy < 10 / 11).double().view(-1, 1, 1, 1) * noise
    s = 0.1 * CLASSES / (CLASSES - 1)
    own = F.cross_entropy(_logits(network, images), batch.labels, label_smoothing=s)
    squares = [
        _gradient(network, image, lambda logits, label=label: F.cross_entropy(logits, label)).square().sum()
        for image, label in zip(images.split(1), batch.labels.split(1), strict=True)
    ]
    assert torch.allclose(loss, own + 2 * torch.stack(squares).mean(), atol=1e-6)


@pytest.mark.parametrize("slug", CATALOGUE)
def test_two_halves_of_a_batch_together_are_the_batch(slug: str) -> None:
    """Processes that share a batch compute the loss of one process that has it all."""
    whole, network = _batch(), _network(norm=slug == "advprop").eval()
    parts = read(slug)
    for part in parts:
        part.dress(network)
    if slug == "advprop":  # statistics of a batch are each process's own
        network.eval()
        network.train = lambda mode=True: network  # type: ignore[method-assign]

    def loss(rows: slice) -> Tensor:
        random = BatchRandom(torch.Generator().manual_seed(4), 6, rows)
        trainee = Trainee(network, lambda images: (images - 0.4) / 0.3, random, CLASSES, 5.0)
        images = whole.images[rows]
        return _total(parts, replace(whole, clean=images, images=images, labels=whole.labels[rows], first=rows.start), trainee)

    together = loss(slice(0, 6))
    assert torch.allclose(loss(slice(0, 2)) + loss(slice(2, 6)), together, atol=1e-9)
    assert math.isfinite(float(together))


@pytest.mark.parametrize("slug", CATALOGUE)
def test_a_part_is_written_and_read_back(slug: str) -> None:
    part = CATALOGUE[slug]()
    if slug != "standard":
        assert read(words([part])) == (part,)
        assert read([part.model_dump(mode="json")]) == (part,)
    for preset in CATALOGUE[slug].presets:
        chosen = CATALOGUE[slug].build(**preset.values)
        assert read(words([chosen])) == (chosen,)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("pgf", "Did you mean “pgd”?"),
        ("pgd eps=0", "eps"),
        ("pgd eps", "name=value"),
        ("pgd + pgd", "twice"),
        ("gaussian sigma=nan", "sigma"),
        ("fgsm strength=3", "strength"),
        (3, "recipe"),
    ],
)
def test_what_is_no_recipe_is_refused_in_a_sentence(recipe: object, sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence) as caught:
        read(recipe)
    assert str(caught.value).endswith((".", "?"))
