"""One step of adversarial training against ART's trainers: the same weights afterwards, from the same images, draws and learning rate.

ART maximises the cross-entropy in its TRADES, where the paper maximises the divergence, and takes half of a batch by chance where others
take its first rows: these parts are given to it, and the rest is its own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.balls import BALLS
from engine.defenses.objectives import Batch, Trainee, read
from engine.defenses.objectives.crafting import divergence, projected_steps
from engine.randomness import BatchRandom

pytestmark = pytest.mark.parity
ROWS, CLASSES, RATE, EPS = 16, 4, 0.1, 0.1


class _Random:
    """Draws that both sides use: each kind of numbers once."""

    def __init__(self) -> None:
        random = BatchRandom(torch.Generator().manual_seed(5), ROWS)
        self.uniform_values, self.normal_values = random.uniform((1, 8, 8)), random.normal((1, 8, 8))

    def uniform(self, shape: Any) -> Tensor:
        return self.uniform_values if tuple(shape) else torch.full((ROWS,), 0.5)

    def normal(self, shape: Any) -> Tensor:
        return self.normal_values


class _Network(nn.Module):
    """A small network. It is no ``Sequential``, of which ART's trainers would take the first layer for the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6 * 64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu().flatten(1))  # type: ignore[no-any-return]


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return _Network()


def _images() -> tuple[Tensor, Tensor]:
    """Return images so far from black and white that no clipping takes part, and their labels."""
    draw = torch.Generator().manual_seed(0)
    return 0.4 + 0.2 * torch.rand(ROWS, 1, 8, 8, generator=draw), torch.arange(ROWS) % CLASSES


def _ours(recipe: str, clip_gradient: float | None = None) -> dict[str, Tensor]:
    """Return the weights after one step of SGD on the loss of a recipe."""
    network, (images, labels) = _network().train(), _images()
    trainee = Trainee(network, lambda x: x, _Random(), CLASSES, epoch=9.0)  # type: ignore[arg-type]
    batch, parts = Batch(images, images, labels, 0, ROWS), read(recipe)
    for part in parts:
        batch = part.rows(batch, trainee)
    logits = trainee.logits(batch.images)
    loss = batch.cross_entropy(logits)
    for part in parts:
        loss = part.loss(loss, logits, batch, trainee)
    loss.backward()  # type: ignore[no-untyped-call]
    if clip_gradient is not None:
        nn.utils.clip_grad_norm_(network.parameters(), clip_gradient)
    torch.optim.SGD(network.parameters(), lr=RATE).step()
    return network.state_dict()


def _theirs(train: Callable[[Any, np.ndarray, np.ndarray], None]) -> dict[str, Tensor]:
    """Return the weights after ``train(classifier, images, labels)`` with ART's classifier."""
    from art.estimators.classification import PyTorchClassifier

    network, (images, labels) = _network(), _images()
    classifier = PyTorchClassifier(
        network,
        nn.CrossEntropyLoss(),
        (1, 8, 8),
        CLASSES,
        torch.optim.SGD(network.parameters(), lr=RATE),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    train(classifier, images.numpy(), np.eye(CLASSES, dtype=np.float32)[labels.numpy()])
    return network.state_dict()


def _same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    start = _network().state_dict()
    for name, value in ours.items():
        assert torch.allclose(value, theirs[name], atol=2e-6), name
        assert not torch.equal(value, start[name])


def test_adversarial_training_by_fgsm() -> None:
    trainers, evasion = pytest.importorskip("art.defences.trainer"), pytest.importorskip("art.attacks.evasion")

    def train(classifier: Any, x: np.ndarray, y: np.ndarray) -> None:
        attack = evasion.FastGradientMethod(classifier, eps=EPS)
        trainers.AdversarialTrainer(classifier, attack, ratio=1.0).fit(x, y, batch_size=ROWS, nb_epochs=1)

    _same(_ours(f"fgsm k={ROWS} weight=1 direction=label varied=no eps={EPS}"), _theirs(train))


def test_adversarial_training_by_pgd() -> None:
    trainers, evasion = pytest.importorskip("art.defences.trainer"), pytest.importorskip("art.attacks.evasion")

    def train(classifier: Any, x: np.ndarray, y: np.ndarray) -> None:
        attack = evasion.ProjectedGradientDescent(classifier, eps=EPS, eps_step=0.02, max_iter=7, num_random_init=0, verbose=False)
        trainers.AdversarialTrainer(classifier, attack, ratio=1.0).fit(x, y, batch_size=ROWS, nb_epochs=1)

    _same(_ours(f"pgd eps={EPS} steps=7 step_size=0.02 random_start=no ramp=0"), _theirs(train))


def test_fgsm_from_a_random_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wong et al. 2020, which ART calls "fast is better than free"; ART also limits the gradient's norm to 0.5."""
    fbf = pytest.importorskip("art.defences.trainer.adversarial_trainer_fbf_pytorch")
    noise = EPS * (2.0 * _Random().uniform_values - 1.0)

    def train(classifier: Any, x: np.ndarray, y: np.ndarray) -> None:
        monkeypatch.setattr(fbf, "random_sphere", lambda *_: noise.numpy().reshape(ROWS, -1))
        trainer = fbf.AdversarialTrainerFBFPyTorch(classifier, eps=EPS)
        classifier._model.train()
        trainer._batch_process(x, y, RATE)

    _same(_ours(f"n-fgsm eps={EPS} noise=1 step=1.25 project=yes", clip_gradient=0.5), _theirs(train))


def test_trades() -> None:
    """The loss of the paper at the same worst neighbours: cross-entropy, and beta times the divergence from the clean answer."""
    trades = pytest.importorskip("art.defences.trainer.adversarial_trainer_trades_pytorch")
    images, _ = _images()
    network = copy.deepcopy(_network())
    trainee = Trainee(network, lambda x: x, _Random(), CLASSES)  # type: ignore[arg-type]
    with trainee.evaluating():
        wanted = trainee.logits(images).detach()
    worst = projected_steps(
        images,
        trainee,
        lambda others: divergence(wanted, others),
        norm="linf",
        eps=EPS,
        steps=5,
        step_size=0.03,
        start=0.001 * _Random().normal_values,
    )
    assert (BALLS["linf"](EPS).size(worst - images) <= EPS + 1e-6).all()

    class Given:
        """An attack of ART's form that gives the images from above."""

        def generate(self, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
            return worst.numpy()

    def train(classifier: Any, x: np.ndarray, y: np.ndarray) -> None:
        trades.AdversarialTrainerTRADESPyTorch(classifier, Given(), beta=6.0)._batch_process(x, y)

    _same(_ours(f"trades eps={EPS} steps=5 step_size=0.03 beta=6"), _theirs(train))
