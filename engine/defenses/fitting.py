"""The state of a training: one object that takes batches, can be saved to a file and restored exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Generator, Tensor, nn
from torch.nn import functional

from engine.defenses.activations import Bounded, BoundedLeaky
from engine.errors import GibbonError
from engine.files import ordinary_file, replacing

Augment = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True)
class Epoch:
    """Averages of a finished epoch of training."""

    epoch: int
    """Number of the epoch, counted from 1."""
    loss: float
    """Mean loss of its batches."""
    accuracy: float
    """Mean accuracy of its batches, before each update of the weights and after augmentation."""


@dataclass(frozen=True)
class Schedule:
    """Length and speed of training: AdamW, with a learning rate that rises linearly during warm-up and then falls as a cosine to 0."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warm_up: float = 0.2
    """The share of all batches during which the rate rises."""

    def rate(self, done: float) -> float:
        """Return the learning rate after the share ``done`` of all batches."""
        if done < self.warm_up:
            return self.learning_rate * (0.05 + 0.95 * done / self.warm_up)
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (done - self.warm_up) / (1.0 - self.warm_up)))


class Fit:
    """A network in training: weights, optimiser, random state and the number of finished epochs.

    Parameters
    ----------
    network
        Module from normalised images to logits, trained in place.
    images, targets
        ``(N, C, H, W)`` uint8 and ``(N,)`` int64, on the CPU.
    mean, std
        One value per channel; the network receives ``(x - mean) / std``.
    schedule
        Length and speed of the training.
    augment
        ``augment(images, generator)`` returns augmented copies of images in [0, 1].
    seed
        Seed of the order of the images and of every draw of ``augment``; initial weights are those of the network.
    """

    def __init__(
        self,
        network: nn.Module,
        images: Tensor,
        targets: Tensor,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        schedule: Schedule,
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.device = next(network.parameters()).device
        self.network = network.to(memory_format=torch.channels_last)
        self.images, self.targets, self.schedule, self.augment = images, targets, schedule, augment
        self.mean = torch.tensor(mean, device=self.device).view(1, -1, 1, 1)
        self.std = torch.tensor(std, device=self.device).view(1, -1, 1, 1)
        self.optimiser = torch.optim.AdamW(_groups(network, schedule.weight_decay), betas=(0.9, 0.99))
        self.generator = Generator().manual_seed(seed)
        self.epoch = 0
        self.history: tuple[Epoch, ...] = ()

    @property
    def batches(self) -> int:
        """The number of batches in one epoch."""
        return max(1, len(self.images) // self.schedule.batch_size)

    @torch.enable_grad()
    def epoch_steps(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Train for one epoch, and yield (mean loss, accuracy) of each batch as scalars on the device.

        When the last batch is yielded, ``history`` contains its epoch.
        """
        self.network.train()
        order = torch.randperm(len(self.images), generator=self.generator)
        # The remainder is left out: batch normalisation has no variance for a single image.
        size = min(self.schedule.batch_size, len(order))
        losses, shares = [], []
        for index in range(self.batches):
            done = (self.epoch + index / self.batches) / self.schedule.epochs
            loss, share = self._step(order[index * size : (index + 1) * size], self.schedule.rate(done))
            losses.append(loss)
            shares.append(share)
            if index == self.batches - 1:
                self._finish_epoch(losses, shares)
            yield loss, share

    def _finish_epoch(self, losses: list[Tensor], shares: list[Tensor]) -> None:
        self.epoch += 1
        mean_loss, mean_share = float(torch.stack(losses).mean()), float(torch.stack(shares).mean())
        if not math.isfinite(mean_loss):
            raise GibbonError("Training diverged: the loss is no longer a number. Lower learning_rate.")
        self.history = (*self.history, Epoch(self.epoch, mean_loss, mean_share))

    def _step(self, chosen: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        images = self.images[chosen].to(self.device).float().div_(255.0)
        targets = self.targets[chosen].to(self.device)
        if self.augment is not None:
            images = self.augment(images, self.generator)
        images = self.normalise(images)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        logits = self.network(images)
        loss = functional.cross_entropy(logits, targets)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        return loss.detach(), (logits.detach().argmax(1) == targets).float().mean()

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise images in [0, 1] for the network."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def set_bounds(self, quantile: float = 0.995) -> None:
        """Set each bound to a quantile of its layer's clean activations on one batch, for networks without batch normalisation."""
        images = self.images[: self.schedule.batch_size].to(self.device).float().div_(255.0)
        modules = [m for m in self.network.modules() if isinstance(m, Bounded | BoundedLeaky)]

        def measure(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            values = inputs[0].clamp_min(0.0).flatten()
            rank = max(1, math.ceil(quantile * values.numel()))
            assert isinstance(module, Bounded | BoundedLeaky)
            module.set_bound(max(float(values.kthvalue(rank).values), 1e-3))

        hooks = [module.register_forward_pre_hook(measure) for module in modules]
        try:
            self.network(self.normalise(images))
        finally:
            for hook in hooks:
                hook.remove()

    def save(self, path: Path, about: dict[str, Any]) -> None:
        """Save everything that a later run needs to continue with the same bits; ``about`` is compared on loading."""
        tensors = {f"network.{name}": value.contiguous() for name, value in self.network.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value.contiguous() for name, value in state.items()}
        tensors["generator"] = self.generator.get_state()
        history = [asdict(epoch) for epoch in self.history]
        facts = {"about": about, "epoch": self.epoch, "history": history, "schedule": asdict(self.schedule)}
        with replacing(path) as staged:
            staged.write_bytes(save(tensors, metadata={"gibbon": json.dumps(facts)}))

    def load(self, path: Path, about: dict[str, Any]) -> None:
        """Continue from a file that `save` wrote."""
        ordinary_file(path, "a training checkpoint")
        try:
            with safe_open(path, "pt", device="cpu") as file:
                facts = json.loads((file.metadata() or {})["gibbon"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise GibbonError(f"{path} is not a training checkpoint: delete it to start afresh. ({error})") from error
        if facts["about"] != about or facts["schedule"] != asdict(self.schedule):
            raise GibbonError(f"{path} belongs to a training with other parameters: delete it, or use the same ones.")
        part = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
        self.network.load_state_dict(part)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".", 2)
                state.setdefault(int(index), {})[key] = value
        self.optimiser.load_state_dict({"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]})
        self.generator.set_state(tensors["generator"])
        self.epoch, self.history = facts["epoch"], tuple(Epoch(**epoch) for epoch in facts["history"])

    @torch.no_grad()
    def predictions(self, images: Tensor, batch_size: int = 256) -> Iterator[Tensor]:
        """Yield the predicted classes of uint8 images, batch by batch, in evaluation mode."""
        self.network.eval()
        for chunk in torch.split(images, batch_size):
            yield self.network(self.normalise(chunk.to(self.device).float().div_(255.0))).argmax(1)


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Group parameters by weight decay: right for kernels, wrong for biases, normalisation and the rectifiers' bounds."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
