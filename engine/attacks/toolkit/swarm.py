"""Particle swarms of many searches at once: the pure updates, without the draws (Kennedy, Eberhart 1995)."""

from __future__ import annotations

from torch import Tensor


def velocities(
    genes: Tensor, before: Tensor, own: Tensor, best: Tensor, factors: tuple[Tensor, Tensor], inertia: float, pull: float, speed: float
) -> Tensor:
    """Return ``v <- clamp(inertia v + pull r1 (own - genes) + pull r2 (best - genes), -speed, speed)``.

    Parameters
    ----------
    genes
        Positions of the particles, ``(N, P, d)``.
    before
        Their velocities, ``(N, P, d)``.
    own
        The best position of each particle so far, ``(N, P, d)``.
    best
        The best position of each swarm so far, ``(N, d)``.
    factors
        The random factors r1 and r2, each broadcasting against ``(N, P, d)``.
    inertia, pull, speed
        w, c1 = c2 and the largest velocity, in units of the genes.

    Returns
    -------
    Tensor
        ``(N, P, d)``.
    """
    first, second = factors
    found = inertia * before + pull * first * (own - genes) + pull * second * (best[:, None] - genes)
    return found.clamp(-speed, speed)
