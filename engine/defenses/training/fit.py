"""The state of a training: one object that takes batches, can be saved to a file and restored exactly."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from engine.defenses.activations import Bounded, BoundedLeaky
from engine.defenses.objectives import Batch, Objective, Trainee
from engine.defenses.rectifiers import bounds_of
from engine.defenses.training.history import Epoch
from engine.defenses.training.measuring import Measurement, QuickAttack
from engine.defenses.training.schedule import Schedule
from engine.defenses.training.sharing import Share, own_share
from engine.errors import Diverged
from engine.randomness import BatchRandom, Random, generator
from engine.sites import discover

Augment = Callable[[Tensor, Random], Tensor]
LOOKED_AT = 16
"""Steps after which the losses are looked at for NaN: looking waits for the device."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images in the form in which they are kept: ``(N, C, H, W)`` uint8 and ``(N,)`` int64, on the CPU."""

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Progress:
    """One step of a training: a batch, or a pass of the measurement at an epoch's end."""

    loss: Tensor
    """Mean loss of the newest batch, a scalar on the device."""
    accuracy: Tensor
    """Accuracy on the newest batch, a scalar on the device."""
    batch: Batch | None = None
    """The newest batch; None: a pass of the measurement."""


@dataclass(frozen=True)
class Phases:
    """Which epochs are trained on clean images only, although the recipe attacks."""

    first: int = 0
    """The number of clean epochs at the beginning."""
    last: int = 0
    """The number of clean epochs at the end."""

    def active(self, recipe: Sequence[Objective], epoch: int, epochs: int) -> tuple[Objective, ...]:
        """Return the parts of the recipe that take part in ``epoch``, counted from 0."""
        clean = epoch < self.first or epoch >= epochs - self.last
        return tuple(part for part in recipe if not (clean and part.adversarial))


class Fit:
    """A network in training: weights, optimiser, random state and the number of finished epochs.

    Parameters
    ----------
    network
        Module from normalised images to logits, trained in place.
    training, held_out
        The images to train on, and those on which each epoch is measured.
    classes
        Number of classes.
    mean, std
        One value per channel; the network receives ``(x - mean) / std``.
    schedule
        Length and speed of the training.
    recipe, phases
        The objectives, and the epochs in which the attacking ones are left out.
    augment
        ``augment(images, random)`` returns augmented copies of images in [0, 1].
    quick
        The attack under which each epoch is measured; None: none.
    mixed
        Whether forward passes compute in bfloat16 where this loses little.
    seed
        Seed of the order of the images and of every other draw; initial weights are those of the network.
    """

    def __init__(
        self,
        network: nn.Module,
        training: Examples,
        held_out: Examples,
        *,
        classes: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        schedule: Schedule,
        recipe: Sequence[Objective] = (),
        phases: Phases | None = None,
        augment: Augment | None = None,
        quick: QuickAttack | None = None,
        mixed: bool = False,
        seed: int = 0,
    ) -> None:
        self.device = next(network.parameters()).device
        self.network = network.to(memory_format=torch.channels_last)
        for part in recipe:
            part.dress(self.network)
        self.training, self.held_out, self.classes = training, held_out, classes
        self.schedule, self.recipe, self.phases = schedule, tuple(recipe), phases or Phases()
        self.augment, self.quick, self.mixed = augment, quick, mixed
        self.mean = torch.tensor(mean, device=self.device).view(1, -1, 1, 1)
        self.std = torch.tensor(std, device=self.device).view(1, -1, 1, 1)
        self.share: Share = own_share()
        self.share.same(self.network)
        self.optimiser = schedule.optimiser_of(self.network)
        self.generator, self._seed = Generator().manual_seed(seed), seed
        self.epoch = 0
        self.history: tuple[Epoch, ...] = ()
        self.order: Tensor | None = None
        """The order of the images in the unfinished epoch; None between epochs."""
        self.done: list[tuple[Tensor, Tensor]] = []
        """Loss and accuracy of each finished batch of the unfinished epoch."""
        self.kept: dict[str, Tensor] | None = None
        """The weights of the best epoch, where they are asked for."""
        self.sites = discover(self.network.eval(), self._example())[0] if len(held_out) else ()
        self._began = time.perf_counter()

    @property
    def batches(self) -> int:
        """The number of batches in one epoch."""
        return max(1, len(self.training) // self.schedule.batch_size)

    @property
    def steps(self) -> int:
        """The number of steps of one epoch: its batches, and the passes of its measurement."""
        return self.batches + self.measurement().passes

    def epoch_steps(self) -> Iterator[Progress]:
        """Train for one epoch, or for the rest of one that was interrupted, and measure it.

        When the last step is yielded, ``history`` contains its epoch.
        """
        self._began = time.perf_counter()
        if self.order is None:
            self.order, self.done = torch.randperm(len(self.training), generator=self.generator), []
        measurement = self.measurement()
        last: Progress | None = None
        for progress in self.batch_steps():
            last = progress
            if len(self.done) == self.batches and not measurement.passes:
                self._finish_epoch(measurement)
            yield progress
        if last is None:  # the interruption came after the last batch
            last = Progress(*self.done[-1])
        for passes, _ in enumerate(self.measuring(measurement), 1):
            if passes < measurement.passes:
                yield Progress(last.loss, last.accuracy)
        if measurement.passes:
            self._finish_epoch(measurement)
            yield Progress(last.loss, last.accuracy)

    @torch.enable_grad()
    def batch_steps(self) -> Iterator[Progress]:
        """Train on the batches of the epoch that are not done yet, in its ``order``."""
        assert self.order is not None
        self.network.train()
        recipe = self.phases.active(self.recipe, self.epoch, self.schedule.epochs)
        # The remainder is left out: batch normalisation has no variance for a single image.
        size = min(self.schedule.batch_size, len(self.order))
        for index in range(len(self.done), self.batches):
            done = (self.epoch + index / self.batches) / self.schedule.epochs
            chosen = self.order[index * size : (index + 1) * size]
            with _seeded(self.device, self._seed, self.epoch, index, self.share.rank):
                progress = self._step(chosen, self.schedule.rate(done), self.epoch + index / self.batches, recipe)
            self.done.append((progress.loss, progress.accuracy))
            ends = len(self.done) == self.batches
            if len(self.done) % LOOKED_AT == 0 or ends:
                self._check_finite()
            if ends:  # all processes measure one network, the one that is kept
                self.share.averaged(self.network)
            yield progress

    def _step(self, chosen: Tensor, rate: float, epoch: float, recipe: Sequence[Objective]) -> Progress:
        rows = self.share.rows(len(chosen))
        trainee = self._trainee(self.generator, len(chosen), rows, epoch)
        own = chosen[rows]
        images = self.training.images[own].to(self.device).float().div_(255.0)
        labels = self.training.targets[own].to(self.device)
        if self.augment is not None:
            images = self.augment(images, trainee.random)
        batch = Batch(images, images, labels, rows.start, len(chosen))
        for part in recipe:
            batch = part.rows(batch, trainee)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        logits = trainee.logits(batch.images)
        loss = batch.cross_entropy(logits)
        for part in recipe:
            loss = part.loss(loss, logits, batch, trainee)
        right = (logits.detach().argmax(1) == labels).float().sum() / len(chosen)
        return Progress(*self._updated(loss, right), batch)

    def _updated(self, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step of the optimiser, and return loss and accuracy of the whole batch."""
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        loss = loss.detach()
        self.share.summed([loss, right, *(each for each in gradients if each is not None)])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        return loss, right

    def _trainee(self, generator: Generator, total: int, rows: slice | None = None, epoch: float = 0.0) -> Trainee:
        random = BatchRandom(generator, total, rows, self.device)
        return Trainee(self.network, self.normalise, random, self.classes, epoch, self.mixed)

    def measurement(self) -> Measurement:
        """Return the measurement of an epoch's end, which `measuring` makes."""
        return Measurement(self.held_out.images, self.held_out.targets, self.quick, self.sites, self.share)

    def measuring(self, measurement: Measurement) -> Iterator[None]:
        """Make a measurement of the network, one pass a step."""
        self.network.eval()
        yield from measurement.steps(self._trainee(self.generator, 1))

    def _finish_epoch(self, measurement: Measurement) -> None:
        self.epoch += 1
        losses, shares = zip(*self.done, strict=True)
        seconds = time.perf_counter() - self._began
        epoch = Epoch(
            self.epoch,
            float(torch.stack(losses).mean()),
            float(torch.stack(shares).mean()),
            measurement.clean,
            measurement.attacked,
            measurement.maxima,
            bounds_of(self.network),
            seconds,
        )
        self.history, self.order, self.done = (*self.history, epoch), None, []

    @property
    def is_finite(self) -> bool:
        """Whether all losses of the unfinished epoch and all weights are numbers, so that the state is worth keeping."""
        weights = (value.sum() for value in self.network.state_dict().values() if value.is_floating_point())
        values = [*(loss for loss, _ in self.done), *weights]
        return bool(torch.stack([value.float() for value in values]).isfinite().all())

    def _check_finite(self) -> None:
        """Refuse a loss that is no number, and name the step; at an epoch's end also weights that are none."""
        finite = torch.stack([loss for loss, _ in self.done]).isfinite()
        if finite.all() and (len(self.done) < self.batches or self.is_finite):
            return
        step = len(self.done) if finite.all() else int(finite.logical_not().nonzero()[0]) + 1
        what = "the weights are no longer numbers after" if finite.all() else "the loss is no longer a number at"
        raise Diverged(f"Training diverged: {what} step {step} of epoch {self.epoch + 1}.")

    def keep(self) -> None:
        """Remember the present weights as the best."""
        self.kept = {name: value.clone() for name, value in self.network.state_dict().items()}

    def trained(self) -> nn.Module:
        """Return a copy of the network as it is used: the best weights where they are kept, without what the recipe added."""
        return self._used(self.kept)

    def present(self) -> nn.Module:
        """Return a copy of the network as it is now, without what the recipe added."""
        return self._used(None)

    def _used(self, weights: Mapping[str, Tensor] | None) -> nn.Module:
        """Return a copy of the network as it is used, with other weights where they are given."""
        network = copy.deepcopy(self.network)
        if weights is not None:
            network.load_state_dict(dict(weights))
        for part in self.recipe:
            part.undress(network)
        return network.to(memory_format=torch.contiguous_format).eval().requires_grad_(False)

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise images in [0, 1] for the network."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def _example(self) -> Tensor:
        return self.normalise(self.training.images[:1].to(self.device).float().div_(255.0))

    @torch.no_grad()
    def set_bounds(self, quantile: float = 0.995) -> None:
        """Set each bound to a quantile of its layer's clean activations on one batch, for networks without batch normalisation."""
        images = self.training.images[: self.schedule.batch_size].to(self.device).float().div_(255.0)
        modules = [m for m in self.network.modules() if isinstance(m, Bounded | BoundedLeaky)]

        def measure(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            values = inputs[0].clamp_min(0.0).flatten()
            rank = max(1, math.ceil(quantile * values.numel()))
            assert isinstance(module, Bounded | BoundedLeaky)
            module.set_bound(max(float(values.kthvalue(rank).values), 1e-3))

        hooks = [module.register_forward_pre_hook(measure) for module in modules]
        try:
            with _seeded(self.device, self._seed):
                self.network.train()(self.normalise(images))
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def _seeded(device: torch.device, *path: int) -> Iterator[None]:
    """Seed torch's own generators for one step, for layers such as dropout that draw from them, and restore them afterwards."""
    seed = generator(*path).initial_seed()
    if device.type == "cpu":  # torch.manual_seed notes the call for GPUs that are not in use, which takes longer than a small batch
        state = torch.default_generator.get_state()
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            torch.default_generator.set_state(state)
        return
    with torch.random.fork_rng([device.index or 0], device_type=device.type):
        torch.manual_seed(seed)
        yield
