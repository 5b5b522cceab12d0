"""The classifier: a frozen model over images in [0, 1], with labels, input shape, device and fingerprint."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.adoption import adopted, frozen_copy, strip_softmax
from engine.batching import ROWS_SCORED
from engine.before import applied, copies_of, grouped, known, pooled
from engine.class_names import class_names
from engine.contract import Contract, no_gradient
from engine.devices import device_of
from engine.errors import GibbonError
from engine.fastest_threads import threads_for
from engine.fingerprint import digest, identity
from engine.inspection import Findings, departs, inspect
from engine.memory_format import channels_last
from engine.model_arguments import (
    Head,
    check_module,
    checked_activations,
    checked_bounds,
    checked_head,
    checked_preprocessing,
    checked_shape,
    checked_size,
    normalisation,
)
from engine.randomness import generator
from engine.recomputation import computed_once
from engine.recording import Looked, Recording
from engine.sites import Site, SiteMode

__all__ = ["Classifier", "Head", "Recording"]


@dataclass(frozen=True)
class _Network:
    """The network that a classifier shares with those derived from it: weights, and the findings of the inspection."""

    module: nn.Module
    head: Head
    native_shape: tuple[int, int, int]
    mean: Tensor
    std: Tensor
    sites: tuple[Site, ...]
    channels_last: bool
    door: torch.dtype
    """Data type of the images that the module takes; pixels are cast to it last, after the normalisation."""
    digest: list[str] = field(default_factory=list)


class Classifier:
    """A frozen model. Pixels in [0, 1] in, logits out; normalisation lives inside, so eps is always in pixel units.

    Never edited after loading: ``derive`` gives another classifier that shares the weights.

    Parameters
    ----------
    module
        Any ``nn.Module`` that maps normalised images ``(N, C, H, W)`` to logits ``(N, K)``. It is copied, set to evaluation mode and
        frozen.
    labels
        K names, or a mapping from class number to name. Classes of one name get their numbers appended.
    input_shape
        ``(C, H, W)`` of the images it takes.
    mean, std
        One value per channel: the module receives ``(images - mean) / std``. None: 0 and 1.
    name
        The name that windows, figures and records show.
    device
        None: the accelerator where there is one, else the CPU.
    head
        ``"log"`` takes the logarithm of a module that ends in probabilities, ``"strip"`` removes a final ``nn.Softmax`` module.
    source
        The argument of ``engine.models.load``, so that a record can load the model again.
    card
        Facts about the model: data set, accuracy, licence. Findings of the inspection are added to its ``notes``.

    Raises
    ------
    GibbonError
        An argument has the wrong type; or the module fails on an image of that shape, or returns NaN, whole numbers, probabilities, or
        another number of classes than labels.
    """

    stands_in = False
    """Whether it stands for a classifier whose weights are not here; `unseen` makes such ones."""

    @torch.inference_mode(False)
    def __init__(
        self,
        module: nn.Module,
        labels: Sequence[str] | Mapping[int, str],
        input_shape: tuple[int, int, int],
        mean: Sequence[float] | Tensor | None = None,
        std: Sequence[float] | Tensor | None = None,
        *,
        name: str = "unnamed",
        device: torch.device | str | None = None,
        head: Head = "logits",
        source: str | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        check_module(module, name)
        head = checked_head(head)
        self.device = device_of(device)
        self.name, self.source = name, source
        self.labels = class_names(labels)
        self.input_shape = checked_shape(input_shape)
        self.activations: dict[str, Callable[[Tensor], Tensor]] = {}
        self.bounds: dict[str, float] = {}
        self.before: tuple[Callable[[Tensor], Tensor], ...] = ()
        self.changes_of_source: tuple[str, ...] = ()
        """The `changes` that were already made when ``source`` was loaded, and that loading it again makes again."""
        scale = normalisation(mean, std, self.input_shape[0], name)
        module = adopted(module, name, self.device)
        if head == "strip":
            strip_softmax(module, name)
        found = self._inspect(module, head, scale)
        pixels = torch.float64 if found.door is torch.float64 else torch.float32
        shift, width = (value.to(pixels).to(self.device) for value in scale)
        self._network = _Network(module, head, self.input_shape, shift, width, found.sites, found.channels_last, found.door)
        self.contract: Contract = found.contract
        """Departures from a pure function of one image; a derived classifier has its own."""
        self.card = _noted(card or {}, found.contract)

    @classmethod
    def unseen(
        cls,
        module: nn.Module,
        labels: Sequence[str],
        input_shape: tuple[int, int, int],
        *,
        name: str,
        fingerprint: str,
        source: str | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> Classifier:
        """Return a classifier on the CPU whose module is not inspected, and whose fingerprint is given.

        It stands for a classifier whose weights are not here: ``module`` answers with logits that were recorded. It has no sites.
        """
        made = cls.__new__(cls)
        made.stands_in = True
        made.device = torch.device("cpu")
        made.name, made.source = name, source
        made.labels, made.input_shape = class_names(labels), checked_shape(input_shape)
        made.activations, made.bounds, made.before, made.changes_of_source = {}, {}, (), ()
        mean, std = normalisation(None, None, made.input_shape[0], name)
        made._network = _Network(module.eval(), "logits", made.input_shape, mean.float(), std.float(), (), False, torch.float32)
        made.contract = Contract()
        made.card = dict(card or {})
        made.__dict__["fingerprint"] = fingerprint  # where the cached property keeps it
        return made

    # ------------------------------------------------------------------ properties

    @property
    def dtype(self) -> torch.dtype:
        """Data type of pixels, gradients and logits: float64 where the network takes that, else float32, whatever its weights."""
        return self._network.mean.dtype

    @property
    def num_classes(self) -> int:
        """The number of classes K, which is the width of the logits."""
        return len(self.labels)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The rectifier calls, in the order in which the network makes them."""
        return self._network.sites

    @property
    def module(self) -> nn.Module:
        """The frozen network, for display of its layers. To train it, copy it first."""
        return self._network.module

    @property
    def head(self) -> Head:
        """The treatment of the module's output that makes it logits."""
        return self._network.head

    @property
    def normalisation(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and std per channel: the module receives ``(images - mean) / std``."""
        channels = self._network.native_shape[0]
        mean, std = (value.flatten().expand(channels).tolist() for value in (self._network.mean, self._network.std))
        return tuple(mean), tuple(std)

    @property
    def native_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the network itself takes; it differs from ``input_shape`` where a resize is inside."""
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

    def _repr_html_(self) -> str:
        """Return name, shape, classes and accuracy as HTML, which notebooks show."""
        from engine.notebook import classifier_html

        return classifier_html(self)

    # ------------------------------------------------------------------ forward passes

    def __call__(self, images: Tensor) -> Tensor:
        """Return logits ``(N, K)`` of images ``(N, C, H, W)`` in [0, 1]; differentiable with respect to the images."""
        return self._forward(images, self._mode() if self.activations or self.bounds else None)

    @torch.no_grad()
    def score(self, images: Tensor, chunk: int = ROWS_SCORED) -> Tensor:
        """Return logits ``(N, K)`` without a graph, ``chunk`` rows at a time, so that a thousand images need no more memory than a few."""
        chunk = max(1, chunk // self.copies)
        return torch.cat([self(part.to(self.device, self.dtype)) for part in torch.split(images, chunk)])

    @torch.no_grad()
    def predict(self, images: Tensor, chunk: int = ROWS_SCORED) -> Tensor:
        """Return predicted classes ``(N,)``, computed ``chunk`` rows at a time."""
        return self.score(images, chunk).argmax(1)

    def record(self, images: Tensor, sites: Iterable[str] | None = None, *, graph: bool = False) -> Recording:
        """Return logits and activations of ``sites`` (names; None: all) from one forward pass.

        Without ``graph`` the activations are clones in the classifier's type; with it they lie on the way from the images to the logits, so
        that a gradient of the logits with respect to them can be taken. Where preprocessing makes copies of an image, the activations are
        the means over them.

        With None there are no activations where the pass made another number of rectifier calls than the network did when it was loaded,
        since a call could then not be matched to its site.

        Raises
        ------
        GibbonError
            A site of that name does not exist, or the pass made another number of rectifier calls; or a graph is asked for where
            preprocessing makes copies of an image.
        """
        if graph and self.copies > 1:
            raise GibbonError(
                f"“{self.name}” averages {self.copies} copies of each image, so its activations do not lie on one way to the logits. "
                "Take the model without that defense."
            )
        wanted = range(len(self.sites)) if sites is None else [self.site(name).index for name in sites]
        mode = self._mode(wanted, graph)
        with torch.set_grad_enabled(graph):
            logits = self._forward(images.to(self.device, self.dtype), mode)
        if mode.calls != len(self.sites):
            if sites is not None and wanted:
                raise GibbonError(self._other_calls(mode))
            return Recording(logits, {})
        # The activations must not be cast: a copy would not lie on the way to the logits.
        found = {self.sites[i].name: mode.recorded[i] if graph else self._mean(mode.recorded[i]) for i in sorted(mode.recorded)}
        return Recording(logits, found)

    @torch.no_grad()
    def look(self, images: Tensor) -> Looked:
        """Return the logits of images ``(N, C, H, W)``, bit for bit those of a call, with the images that the preprocessing makes."""
        made = applied(self.before, images.to(self.device, self.dtype))
        rows = self._logits(made, self._mode() if self.activations or self.bounds else None, ())
        return Looked(pooled(rows, self.copies), made.view(-1, self.copies, *made.shape[1:])[:, 0])

    def _mean(self, values: Tensor) -> Tensor:
        values = values.to(self.dtype)
        return values if self.copies == 1 else values.reshape(-1, self.copies, *values.shape[1:]).mean(1)

    def prepared(self, images: Tensor) -> Tensor:
        """Return the network's input for images in [0, 1]: preprocessed, resized, normalised, in the type and order it takes."""
        return self._input(applied(self.before, images))

    def _input(self, images: Tensor) -> Tensor:
        net = self._network
        if images.shape[2:] != net.native_shape[1:]:
            images = F.interpolate(images, net.native_shape[1:], mode="bilinear", antialias=True, align_corners=False)
        images = ((images - net.mean) / net.std).to(net.door)
        return channels_last(images) if net.channels_last and images.device.type == "cpu" else images

    def site(self, name: str) -> Site:
        """Return the site of that name.

        Raises
        ------
        GibbonError
            The classifier has no site of that name.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise GibbonError(f"“{self.name}” has no rectifier call named “{name}”. It has: {', '.join(s.name for s in self.sites) or 'none'}.")

    @property
    def copies(self) -> int:
        """Number of rows that the network sees for each image; more than one where preprocessing averages noisy copies."""
        return copies_of(self.before)

    def as_the_attacker_knows_it(self) -> Classifier:
        """Return the classifier without the preprocessing that its attacker does not know of, whose gradients it gives."""
        other = copy.copy(self)
        other.__dict__.pop("fingerprint", None)
        other.before = known(self.before)
        return other

    def undefended(self, name: str, count: int) -> Classifier:
        """Return the classifier without the last ``count`` steps of its preprocessing, under another name."""
        other = copy.copy(self)
        other.__dict__.pop("fingerprint", None)
        other.name, other.before = name, self.before[: len(self.before) - count]
        return other

    @property
    def changes(self) -> tuple[str, ...]:
        """The replaced rectifiers and the preprocessing, in words."""
        replaced = (f"{site}: {function!r}" for site, function in self.activations.items())
        return (*replaced, *(change_before(step) for step in self.before))

    def derive(
        self,
        *,
        name: str | None = None,
        activations: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
        bounds: Mapping[str, float] | None = None,
        before: Sequence[Callable[[Tensor], Tensor]] | None = None,
        size: int | tuple[int, int] | None = None,
    ) -> Classifier:
        """Return another classifier over the same weights, with its own fingerprint.

        Parameters
        ----------
        name
            Name of the new classifier; None: the same name.
        activations
            Site name to the function that replaces the rectifier and is called with the pre-activation; added to earlier ones.
        bounds
            Site name to the upper bound of the activation; added to earlier ones.
        before
            Preprocessing on images in [0, 1], appended to earlier preprocessing.
        size
            ``(height, width)`` or the shorter word for a square: images come in at this size and are resized (bilinear, antialiased)
            inside, so that an attack works at the photograph's size.

        Raises
        ------
        GibbonError
            A site does not exist, a bound is not above 0, a size is invalid, or a function fails or has no name that a fingerprint
            could hold.
        """
        activations, bounds = checked_activations(activations or {}), checked_bounds(bounds or {})
        before = () if before is None else checked_preprocessing(before)
        shape = self.input_shape if size is None else (self.input_shape[0], *checked_size(size))
        for site in (*activations, *bounds):
            self.site(site)
        for function in (*activations.values(), *before):
            identity(function)  # refuse a function without a fingerprint before computing anything with it
        other = copy.copy(self)
        other.__dict__.pop("fingerprint", None)
        other.name = name or self.name
        placed = {site: self._placed(f) for site, f in activations.items()}
        added = tuple(self._placed(f) for f in before)
        other.activations, other.bounds = {**self.activations, **placed}, {**self.bounds, **bounds}
        other.before, other.input_shape = (*self.before, *added), shape
        if (placed or bounds) and self.contract.computes_again:
            raise GibbonError(f"“{self.name}” cannot be changed at its rectifiers. {self.contract.notes[-1]}")
        other.contract = self._contract_with(placed, added, shape)
        if other.contract != self.contract:
            other.card = _noted(self.card, other.contract)
        return other

    @torch.inference_mode(False)
    def to(self, device: torch.device | str) -> Classifier:
        """Return the same classifier on another device (a copy of the weights, the same fingerprint)."""
        target = device_of(device)
        if target == self.device:
            return self
        net = self._network
        other = copy.copy(self)
        other.device = target
        other.activations = {site: other._placed(f) for site, f in self.activations.items()}
        other.before = tuple(other._placed(f) for f in self.before)
        module = frozen_copy(net.module, self.name).to(target)
        other._network = replace(net, module=module, mean=net.mean.to(target), std=net.std.to(target))
        return other

    def threads(self) -> int:
        """Measure the number of CPU threads at which a forward and a backward pass of one image are fastest, once per fingerprint."""
        return threads_for((self.fingerprint, str(self.device)), self.device, self._pass)

    # ------------------------------------------------------------------ helpers

    def _mode(self, wanted: Iterable[int] = (), graph: bool = False) -> SiteMode:
        return SiteMode(
            {self.site(site).index: f for site, f in self.activations.items()},
            {self.site(site).index: value for site, value in self.bounds.items()},
            wanted,
            graph,
        )

    def _forward(self, images: Tensor, mode: SiteMode | None) -> Tensor:
        seen = known(self.before)
        if len(seen) == len(self.before) or not (images.requires_grad and torch.is_grad_enabled()):
            return self._logits(images, mode, self.before)
        with torch.no_grad():
            true = self._logits(images, self._mode() if self.activations or self.bounds else None, self.before)
        blind = self._logits(images, mode, seen)
        return true + (blind - blind.detach())  # the bits of the true answer, with the gradient of the network that the attacker knows

    def _logits(self, images: Tensor, mode: SiteMode | None, before: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
        net, prepared = self._network, self._input(applied(before, images))
        try:
            with computed_once(), mode or contextlib.nullcontext():  # the preprocessing stays outside: its rectifier calls are no sites
                output: Tensor = net.module(prepared)
        except RuntimeError as error:
            if images.requires_grad and "requires grad" in str(error):  # preprocessing with NumPy inside works without a graph only
                raise GibbonError(no_gradient(self.name)) from error
            raise
        if mode is not None and mode.calls != len(net.sites) and (self.activations or self.bounds):
            raise GibbonError(self._other_calls(mode))
        output = output.to(net.mean.dtype)
        output = output.clamp_min(torch.finfo(output.dtype).tiny).log() if net.head == "log" else output
        return pooled(output, copies_of(before))

    def _other_calls(self, mode: SiteMode) -> str:
        return (
            f"“{self.name}” made {mode.calls} rectifier calls in this pass and {len(self.sites)} when it was loaded, so it cannot be told "
            "which is which. Leave its activations as they are."
        )

    @torch.enable_grad()
    def _pass(self) -> None:
        images = torch.full((1, *self.input_shape), 0.5, device=self.device, dtype=self.dtype, requires_grad=True)
        logits = self(images)
        if logits.requires_grad:
            torch.autograd.grad(logits.sum(), images, allow_unused=True)

    def _inspect(self, module: nn.Module, head: Head, scale: tuple[Tensor, Tensor]) -> Findings:
        # Random images are drawn in float32 whatever the network's type, so that every type is inspected on the same numbers.
        images = torch.rand((2, *self.input_shape), generator=generator(0, "inspect")).double()
        images = (images - scale[0]) / scale[1]
        return inspect(module, images, self.num_classes, name=self.name, device=self.device, probabilities=head == "log")

    def _placed(self, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """Return a frozen copy of a module on the device; other functions unchanged."""
        return frozen_copy(function, repr(function)).eval().to(self.device) if isinstance(function, nn.Module) else function

    def _contract_with(
        self,
        activations: Mapping[str, Callable[[Tensor], Tensor]],
        before: Sequence[Callable[[Tensor], Tensor]],
        shape: tuple[int, int, int],
    ) -> Contract:
        """Return the contract of a derived classifier: new functions are inspected alone, which takes no pass through the network."""
        found = self.contract
        images = torch.rand((2, *shape), generator=generator(0, "derive")).to(self.device, self.dtype)
        for step in before:
            found = found.joined(departs(partial(grouped, step), images, "The preprocessing"))
        for name, function in activations.items():
            values = torch.randn((2, *self.site(name).shape), generator=generator(0, "derive", name)).to(self.device, self._network.door)
            found = found.joined(departs(function, values, f"The activation at “{name}”"))
        return found


def change_before(step: Callable[[Tensor], Tensor]) -> str:
    """Return the words for a preprocessing among the changes of a classifier."""
    return f"before: {step!r}"


def _noted(card: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """Return the card with the findings of the inspection among its notes."""
    new = [note for note in contract.notes if note not in card.get("notes", ())]
    return {**card, "notes": [*card.get("notes", ()), *new]} if new else dict(card)
