"""The random-noise control: a perturbation with the same values at other places, with which any attack must be compared."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.randomness import generator


@torch.no_grad()
def control(clean: Tensor, adversarial: Tensor, mask: Tensor | None = None, seed: int = 0) -> Tensor:
    """Return images ``(N, C, H, W)`` with random noise as large as each row's perturbation, in every norm at once.

    ``noise = sign * (adversarial - clean)[shuffled pixels]`` with random signs per value; a sign that would move a value out of [0, 1] is
    flipped where the other stays inside. So L0, L1, L2 and Linf equal those of the perturbation except for values that fit on neither side.

    Parameters
    ----------
    clean, adversarial
        ``(N, C, H, W)`` in [0, 1].
    mask
        ``(N or 1, 1, H, W)``: pixels are shuffled where it is above 0 only. None: everywhere.
    seed
        Row n draws from (seed, n): a batch equals its single images.
    """
    delta = (adversarial - clean).flatten(2)
    noise = torch.zeros_like(delta)
    for row in range(len(delta)):
        random = generator(seed, "control", row)
        inside = None if mask is None else (mask[row % len(mask), 0].flatten() > 0).nonzero().flatten()
        count = delta.shape[2] if inside is None else len(inside)
        order = torch.randperm(count, generator=random).to(delta.device)
        signs = (2 * torch.randint(2, (delta.shape[1], count), generator=random) - 1).to(delta)
        places = order if inside is None else inside[order]
        noise[row][:, slice(None) if inside is None else inside] = signs * delta[row][:, places]
    noise = noise.view_as(clean)
    moved, turned = clean + noise, clean - noise
    stays = (moved >= 0) & (moved <= 1)
    fits = (turned >= 0) & (turned <= 1)
    return torch.where(stays | ~fits, moved, turned).clamp(0, 1)
