"""Activations of the layers: histograms, largest activations and spikes, clean against adversarial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.sites import Site

BINS = 64


@dataclass(frozen=True)
class Spike:
    """A unit whose activation on the adversarial image exceeds its layer's reference."""

    site: str
    channel: int
    y: int | None
    """Row of the unit in its layer; None in a layer without rows."""
    x: int | None
    clean: float
    adversarial: float
    ratio: float
    """``adversarial / reference``; infinite where the reference is 0."""
    reference: float
    """The layer's largest activation on the clean image."""


@dataclass(frozen=True, eq=False)
class LayerActivity:
    """Activations of one site on the clean and on the adversarial image."""

    site: Site
    edges: Tensor
    """Edges of the histogram's bins, ``(BINS + 1,)``, evenly spaced; the last is a round number at or above both maxima."""
    clean: Tensor
    """Counts of the clean image, ``(BINS,)``; like those of ``adversarial`` they cover every unit once."""
    adversarial: Tensor
    clean_max: float
    adversarial_max: float
    spikes: int
    """Number of units above the clean maximum."""


def round_up(value: float) -> float:
    """Round up to 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten: a stable limit for an axis."""
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15) if m * power >= value * (1 - 1e-9))


def layer_activity(
    site: Site, clean: Tensor, adversarial: Tensor, *, clean_max: float, adversarial_max: float, low: float
) -> LayerActivity:
    """Return histograms of one site on shared edges. ``clean`` and ``adversarial`` are its activations on one image each."""
    upper = round_up(max(clean_max, adversarial_max))
    lower = 0.0 if low >= 0 else -round_up(-low)
    return LayerActivity(
        site=site,
        edges=torch.linspace(lower, upper, BINS + 1),
        clean=torch.histc(clean.float(), BINS, lower, upper).cpu(),
        adversarial=torch.histc(adversarial.float(), BINS, lower, upper).cpu(),
        clean_max=clean_max,
        adversarial_max=adversarial_max,
        spikes=int((adversarial > clean_max).sum()),
    )


def compare(sites: Sequence[Site], activations: Mapping[str, Tensor]) -> tuple[LayerActivity, ...]:
    """Compare every recorded site of a batch of two: the clean image in row 0, the adversarial one in row 1."""
    recorded = [site for site in sites if site.name in activations]
    if not recorded:
        return ()
    # Extremes are gathered on the device first, so that all layers take a single transfer.
    extremes = torch.stack(
        [torch.stack([activations[s.name][0].amax(), activations[s.name][1].amax(), activations[s.name].amin()]) for s in recorded]
    )
    return tuple(
        layer_activity(site, activations[site.name][0], activations[site.name][1], clean_max=high, adversarial_max=attacked, low=low)
        for site, (high, attacked, low) in zip(recorded, extremes.tolist(), strict=True)
    )


def find_spikes(sites: Sequence[Site], activations: Mapping[str, Tensor], most: int = 20) -> tuple[Spike, ...]:
    """Find the units of a batch of two (clean, adversarial) that exceed their layer's clean maximum, largest ratio first.

    ``ratio = adversarial / reference`` with ``reference = max`` of the layer on the clean image, the simplest clean range from a single
    image.
    """
    found: list[Spike] = []
    for site in sites:
        if site.name not in activations:
            continue
        clean, adversarial = activations[site.name][0], activations[site.name][1]
        reference = float(clean.amax())
        over = torch.where(adversarial > reference, adversarial, -math.inf).flatten()
        values, places = over.topk(min(most, over.numel()))
        for value, place in zip(values.tolist(), places.tolist(), strict=True):
            if value == -math.inf:
                break
            channel, y, x = site.place(place)
            ratio = value / reference if reference > 0 else math.inf
            found.append(Spike(site.name, channel, y, x, float(clean.flatten()[place]), value, ratio, reference))
    return tuple(sorted(found, key=lambda spike: -spike.ratio)[:most])
