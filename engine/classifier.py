"""Classifier: a frozen model over images in [0, 1], with labels, input shape, device and fingerprint."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.batching import ROWS_SCORED
from engine.devices import device_of, fastest_threads
from engine.errors import GibbonError
from engine.fingerprint import digest, identity
from engine.inspection import inspect, strip_softmax
from engine.layout import channels_last
from engine.randomness import generator
from engine.sites import Site, SiteMode

Head = Literal["logits", "log", "strip"]
_threads: dict[tuple[str, str], int] = {}


@dataclass(frozen=True)
class Recording:
    """Logits and the activations of the sites asked for, cloned, by the site's name."""

    logits: Tensor
    """``(N, K)``."""
    activations: dict[str, Tensor]
    """Site name to ``(N, C, H, W)`` or ``(N, units)``, after the rectifier."""


@dataclass(frozen=True)
class _Network:
    """What a classifier and those derived from it share: the weights and what was found out about them."""

    module: nn.Module
    head: Head
    native_shape: tuple[int, int, int]
    mean: Tensor
    std: Tensor
    sites: tuple[Site, ...]
    channels_last: bool = False
    digest: list[str] = field(default_factory=list)


class Classifier:
    """A frozen model. Pixels in [0, 1] in, logits out; normalisation lives inside, so eps is always in pixel units.

    Never edited after loading: ``derive`` gives another classifier that shares the weights.

    Parameters
    ----------
    module
        Any ``nn.Module`` that maps ``(N, C, H, W)`` normalised images to ``(N, K)`` logits. It is copied, set to evaluation mode, frozen.
    labels
        K names.
    input_shape
        ``(C, H, W)`` of the images it takes.
    mean, std
        Per channel: the module is given ``(images - mean) / std``. None: 0 and 1.
    name
        Shown and recorded.
    device
        None: CUDA where there is one, else the CPU.
    head
        ``"log"`` takes the logarithm of a module that ends in probabilities, ``"strip"`` removes a final ``nn.Softmax`` module.
    source
        What ``engine.models.load`` was given, so that a record can load it again.
    card
        What is known about it: data set, accuracy, licence.

    Raises
    ------
    GibbonError
        The module fails on an image of that shape, gives NaN, probabilities, or another number of classes than labels.
    """

    def __init__(
        self,
        module: nn.Module,
        labels: Sequence[str],
        input_shape: tuple[int, int, int],
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        *,
        name: str = "unnamed",
        device: torch.device | str | None = None,
        head: Head = "logits",
        source: str | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.device = device_of(device)
        self.name, self.source, self.card = name, source, dict(card or {})
        self.labels = tuple(str(label) for label in labels)
        self.input_shape = (int(input_shape[0]), int(input_shape[1]), int(input_shape[2]))
        self.activations: dict[str, Callable[[Tensor], Tensor]] = {}
        self.bounds: dict[str, float] = {}
        self.before: tuple[Callable[[Tensor], Tensor], ...] = ()
        # The order of the weights in memory decides the last digits: one order, wherever they come from.
        module = copy.deepcopy(module).eval().requires_grad_(False).to(self.device).to(memory_format=torch.contiguous_format)
        if head == "strip":
            strip_softmax(module, name)
        dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
        channels = self.input_shape[0]
        scale = [torch.tensor(v, dtype=dtype, device=self.device).reshape(-1, 1, 1) for v in (mean or [0.0], std or [1.0])]
        if any(len(v) not in (1, channels) for v in scale):
            raise GibbonError(
                f"The model “{name}” takes {channels} channels, but mean or std has another number. Give one value per channel."
            )
        self._network = _Network(module, head, self.input_shape, scale[0], scale[1], ())
        self._network = _Network(module, head, self.input_shape, scale[0], scale[1], *self._inspect())

    # ------------------------------------------------------------------ what it is

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights; images are expected in it."""
        return self._network.mean.dtype

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.labels)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The rectifier calls, in the order in which they are made."""
        return self._network.sites

    @property
    def module(self) -> nn.Module:
        """The frozen network, for showing its layers. Do not train it: copy it."""
        return self._network.module

    @property
    def head(self) -> Head:
        """How logits are got from the module's output."""
        return self._network.head

    @property
    def normalisation(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and std per channel: the module is given ``(images - mean) / std``."""
        channels = self._network.native_shape[0]
        mean, std = (value.flatten().expand(channels).tolist() for value in (self._network.mean, self._network.std))
        return tuple(mean), tuple(std)

    @property
    def native_shape(self) -> tuple[int, int, int]:
        """What the network itself takes; differs from ``input_shape`` where the resize is inside."""
        return self._network.native_shape

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of a SHA-256 over weights, buffers, structure, normalisation and everything derived."""
        if not self._network.digest:
            net = self._network
            net.digest.append(digest((net.head, net.native_shape, net.mean.tolist(), net.std.tolist()), net.module))
        changes = (
            {site: identity(f) for site, f in sorted(self.activations.items())},
            dict(sorted(self.bounds.items())),
            [identity(f) for f in self.before],
            self.input_shape,
        )
        return hashlib.sha256((self._network.digest[0] + json.dumps(changes)).encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, {self.num_classes} classes, input {self.input_shape}, {self.device})"

    # ------------------------------------------------------------------ what it does

    def __call__(self, images: Tensor) -> Tensor:
        """Logits ``(N, K)`` of images ``(N, C, H, W)`` in [0, 1]; differentiable with respect to the images."""
        return self._forward(images, self._mode() if self.activations or self.bounds else contextlib.nullcontext())

    @torch.no_grad()
    def score(self, images: Tensor, chunk: int = ROWS_SCORED) -> Tensor:
        """Logits ``(N, K)`` without a graph, ``chunk`` rows at a time, so that a thousand images need no more memory than a few."""
        return torch.cat([self(part.to(self.device, self.dtype)) for part in torch.split(images, chunk)])

    @torch.no_grad()
    def predict(self, images: Tensor, chunk: int = ROWS_SCORED) -> Tensor:
        """Predicted labels ``(N,)``, ``chunk`` rows at a time."""
        return self.score(images, chunk).argmax(1)

    def record(self, images: Tensor, sites: Iterable[str] | None = None, *, graph: bool = False) -> Recording:
        """Logits and activations of ``sites`` (names; None: all) in one forward pass.

        Without ``graph`` the activations are clones; with it they lie on the way from the images to the logits, so that a gradient of the
        logits with respect to them can be taken.

        Raises
        ------
        GibbonError
            A site of that name does not exist.
        """
        wanted = range(len(self.sites)) if sites is None else [self.site(name).index for name in sites]
        mode = self._mode(wanted, graph)
        with torch.set_grad_enabled(graph):
            logits = self._forward(images.to(self.device, self.dtype), mode)
        return Recording(logits, {self.sites[i].name: mode.recorded[i] for i in sorted(mode.recorded)})

    def prepared(self, images: Tensor) -> Tensor:
        """What the network is given for images in [0, 1]: preprocessed, resized, normalised, laid out in memory as it takes them."""
        net = self._network
        for step in self.before:
            images = step(images)
        if images.shape[2:] != net.native_shape[1:]:
            images = F.interpolate(images, net.native_shape[1:], mode="bilinear", antialias=True, align_corners=False)
        images = (images - net.mean) / net.std
        return channels_last(images) if net.channels_last and images.device.type == "cpu" else images

    def site(self, name: str) -> Site:
        """The site of that name.

        Raises
        ------
        GibbonError
            There is none.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise GibbonError(f"“{self.name}” has no rectifier call named “{name}”. It has: {', '.join(s.name for s in self.sites) or 'none'}.")

    def derive(
        self,
        *,
        name: str | None = None,
        activations: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
        bounds: Mapping[str, float] | None = None,
        before: Sequence[Callable[[Tensor], Tensor]] | None = None,
        size: int | tuple[int, int] | None = None,
    ) -> Classifier:
        """Another classifier over the same weights, with its own fingerprint.

        Parameters
        ----------
        name
            Of the new one; None: the same.
        activations
            Site name to the function called with the pre-activation instead of the rectifier, added to those there.
        bounds
            Site name to the value at which the activation is clamped from above, added to those there.
        before
            Preprocessing on images in [0, 1], appended to what is there.
        size
            ``(height, width)`` or the shorter word for a square: images come in at this size and are resized (bilinear, antialiased)
            inside, so that an attack works at the photograph's size.

        Raises
        ------
        GibbonError
            There is no such site, a bound is not above 0, or a function has no name that a fingerprint could hold.
        """
        other = copy.copy(self)
        other.__dict__.pop("fingerprint", None)
        for site in (*(activations or {}), *(bounds or {})):
            self.site(site)
        for site, value in (bounds or {}).items():
            if not value > 0:
                raise GibbonError(f"A bound of {value:g} at “{site}” would silence the layer. Choose a value above 0.")
        other.name = name or self.name
        for function in (*(activations or {}).values(), *(before or ())):
            identity(function)  # refuses what no fingerprint could name, before anything is computed with it
        other.activations = {**self.activations, **{site: _placed(f, self.device) for site, f in (activations or {}).items()}}
        other.bounds = {**self.bounds, **(bounds or {})}
        other.before = (*self.before, *(_placed(f, self.device) for f in before or ()))
        if size is not None:
            height, width = (size, size) if isinstance(size, int) else size
            other.input_shape = (self.input_shape[0], height, width)
        return other

    def to(self, device: torch.device | str) -> Classifier:
        """The same classifier on another device (a copy of the weights, the same fingerprint)."""
        target = device_of(device)
        if target == self.device:
            return self
        net = self._network
        other = copy.copy(self)
        other.device = target
        other.activations = {site: _placed(f, target) for site, f in self.activations.items()}
        other.before = tuple(_placed(f, target) for f in self.before)
        other._network = _Network(
            copy.deepcopy(net.module).to(target),
            net.head,
            net.native_shape,
            net.mean.to(target),
            net.std.to(target),
            net.sites,
            net.channels_last,
            net.digest,
        )
        return other

    def threads(self) -> int:
        """The number of CPU threads at which a forward and a backward pass of one image are fastest; measured once per fingerprint."""
        key = (self.fingerprint, str(self.device))
        if key not in _threads:
            if self.device.type != "cpu":
                _threads[key] = 1
            else:
                cores = os.cpu_count() or 1
                candidates = tuple(n for n in (1, 2, 4, 8, 16) if n == 1 or n <= max(1, cores - 1))
                _threads[key] = fastest_threads(self._pass, candidates) if len(candidates) > 1 else 1
        return _threads[key]

    # ------------------------------------------------------------------ inside

    def _mode(self, wanted: Iterable[int] = (), graph: bool = False) -> SiteMode:
        return SiteMode(
            {self.site(site).index: f for site, f in self.activations.items()},
            {self.site(site).index: value for site, value in self.bounds.items()},
            wanted,
            graph,
        )

    def _forward(self, images: Tensor, mode: SiteMode | contextlib.nullcontext[None]) -> Tensor:
        net, images = self._network, self.prepared(images)
        with mode:  # around the network alone: rectifiers in the preprocessing are no sites
            output: Tensor = net.module(images)
        return output.clamp_min(torch.finfo(output.dtype).tiny).log() if net.head == "log" else output

    @torch.enable_grad()
    def _pass(self) -> None:
        images = torch.full((1, *self.input_shape), 0.5, device=self.device, dtype=self.dtype, requires_grad=True)
        torch.autograd.grad(self(images).sum(), images)

    def _inspect(self) -> tuple[tuple[Site, ...], bool]:
        net, shape = self._network, (2, *self.input_shape)
        images = torch.rand(shape, generator=generator(0, "inspect")).to(self.device, self.dtype)
        return inspect(net.module, (images - net.mean) / net.std, self.num_classes, name=self.name, probabilities=net.head == "log")


def _placed(function: Callable[[Tensor], Tensor], device: torch.device) -> Callable[[Tensor], Tensor]:
    """A module's frozen copy on the device; anything else as it is."""
    if not isinstance(function, nn.Module):
        return function
    return copy.deepcopy(function).eval().requires_grad_(False).to(device)
