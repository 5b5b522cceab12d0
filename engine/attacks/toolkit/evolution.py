"""Differential evolution of many populations at once: the pure updates, without the draws.

A population is ``(N, P, ...)``: N independent searches, one per image, of P members whose genes fill the other dimensions (Storn, Price
1997).
"""

from __future__ import annotations

import torch
from torch import Tensor

FEWEST = 4
"""Smallest population: a member and its three partners."""


def partners(draws: Tensor) -> Tensor:
    """Choose three partners for every member, all different and none of them itself.

    Parameters
    ----------
    draws
        ``(N, P, 3)`` uniform in [0, 1).

    Returns
    -------
    Tensor
        ``(N, P, 3)`` int64 in [0, P).
    """
    n, members, _ = draws.shape
    own = torch.arange(members, device=draws.device).expand(n, members)
    chosen = own[..., None]
    for number in range(3):
        left = members - 1 - number
        drawn = (draws[..., number] * left).long().clamp_max(left - 1)  # the product may round up to ``left``
        # Step past every member that is taken, in ascending order, so that each remaining one is equally likely.
        for taken in chosen.sort(dim=-1).values.unbind(-1):
            drawn = drawn + (drawn >= taken)
        chosen = torch.cat([chosen, drawn[..., None]], dim=-1)
    return chosen[..., 1:]


def children(genes: Tensor, draws: Tensor, factor: float) -> Tensor:
    """Return ``p_r1 + factor * (p_r2 - p_r3)`` for every member, without crossover, shaped as ``genes``; they may leave their range."""
    search = torch.arange(len(genes), device=genes.device)[:, None]
    first, second, third = (genes[search, r] for r in partners(draws).unbind(-1))
    return first + factor * (second - third)


def crossed(genes: Tensor, mutants: Tensor, draws: Tensor, forced: Tensor, rate: float) -> Tensor:
    """Return children by binomial crossover (Storn, Price 1997): each gene is the mutant's with probability ``rate``, else the parent's.

    Parameters
    ----------
    genes, mutants
        ``(N, P, d)``.
    draws
        ``(N, P, d)`` uniform in [0, 1).
    forced
        ``(N, P)`` uniform in [0, 1): one gene of each child, ``floor(forced * d)``, is always the mutant's.
    rate
        The crossover rate CR.

    Returns
    -------
    Tensor
        ``(N, P, d)``.
    """
    count = genes.shape[-1]
    always = (forced * count).long().clamp_max(count - 1)[..., None]
    taken = (draws < rate).scatter(-1, always, True)
    return torch.where(taken, mutants, genes)


def reflected(genes: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Fold ``genes`` back into [low, high] at its ends, repeatedly if necessary. Clamping would accumulate them on the edges."""
    span = (high - low).clamp_min(torch.finfo(genes.dtype).tiny)
    return low + span - ((genes - low).remainder(2 * span) - span).abs()


def resampled(genes: Tensor, low: Tensor, high: Tensor, draws: Tensor) -> Tensor:
    """Replace genes outside [low, high] by new ones: ``draws``, of the same shape, are uniform in [0, 1)."""
    return torch.where((genes < low) | (genes > high), low + draws * (high - low), genes)


def survivors(genes: Tensor, fitness: Tensor, tried: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    """Replace every parent by its child where that is fitter: return the new genes and fitness ``(N, P)``."""
    fitter = found > fitness
    return torch.where(fitter.view(*fitter.shape, *[1] * (genes.dim() - 2)), tried, genes), torch.where(fitter, found, fitness)
