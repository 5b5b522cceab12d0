"""The exact best pair of JSMA's saliency map, without a table of all pairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_MIXTURES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights of the mixtures of both gradients whose largest features come first: they rule out nearly all others."""
_OF_EACH = (8, 24)
"""Number of features per mixture where features are few, and where they are many."""
_MANY = 2**14
_TABLE = 2**22
"""Entries of a table of pairs in memory at once: 16 MB in float32."""


@torch.no_grad()
def best_pairs(alpha: Tensor, beta: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Find the pair of allowed features with the largest ``-A * B``, where ``A = alpha_p + alpha_q > 0 > B = beta_p + beta_q``.

    A table of all pairs has d^2 entries: 2.3e10 for a photograph. But a feature that two others surpass, in alpha and in ``b = -beta``, can
    be exchanged in any pair for one of these two that is not in it yet, and the pair becomes no worse. So an optimal pair is among the
    features that at most one other surpasses (a part of the two outer Pareto layers). Three exact steps find it:

    1. Some features, the largest in alpha, in b and in mixtures of both, rule out all that two of them surpass, and all that cannot reach
    the value of the best pair of these few with any partner: ``(alpha_p + max alpha) * (b_p + max b)``. O(d). 2. Among the rest, a sort by
    alpha and two running maxima of b leave those that at most one other surpasses. 3. A table of these alone.

    Parameters
    ----------
    alpha
        ``(N, d)``: gradient of the target's output.
    beta
        ``(N, d)``: gradient of the sum of the other outputs.
    allowed
        ``(N, d)`` bool: features that may change. Those with a gradient that is not finite may not.

    Returns
    -------
    The pairs ``(N, 2)``, and ``(N,)`` bool: whether one has ``A > 0 > B``; otherwise the pair is meaningless.
    """
    n, d = alpha.shape
    if d < 2:
        return torch.zeros(n, 2, dtype=torch.int64, device=alpha.device), torch.zeros(n, dtype=torch.bool, device=alpha.device)
    allowed = allowed & alpha.isfinite() & beta.isfinite()
    a, b = _scaled(alpha, allowed), _scaled(-beta, allowed)
    left = _left(a, b) & allowed
    places = _places(left)
    kept = left.gather(1, places)
    a, b = a.gather(1, places).masked_fill(~kept, -torch.inf), b.gather(1, places).masked_fill(~kept, -torch.inf)
    order = _undominated(a, b)
    pairs, worth = _best_of(a.gather(1, order), b.gather(1, order))
    return places.gather(1, order.gather(1, pairs)), worth > -torch.inf


def _scaled(values: Tensor, allowed: Tensor) -> Tensor:
    """Divide by the largest magnitude of the row, so that no product underflows; -inf where not allowed."""
    scale = values.masked_fill(~allowed, 0.0).abs().amax(1, keepdim=True)
    return (values / torch.where(scale > 0, scale, 1.0)).masked_fill(~allowed, -torch.inf)


def _left(a: Tensor, b: Tensor) -> Tensor:
    """Return the features that the first step cannot rule out, ``(N, d)`` bool."""
    each = min(_OF_EACH[a.shape[1] > _MANY], a.shape[1])
    mixtures = (b if w == 0 else a if w == 1 else (1 - w) * b + w * a for w in _MIXTURES)
    places = torch.cat([mixture.topk(each, dim=1, sorted=False).indices for mixture in mixtures], 1).sort(dim=1).values
    twice = F.pad(places[:, 1:] == places[:, :-1], (1, 0))  # a feature that was found twice counts once
    first_a, first_b = a.gather(1, places).masked_fill(twice, -torch.inf), b.gather(1, places).masked_fill(twice, -torch.inf)
    _, worth = _best_of(first_a, first_b)
    # First the number of them that are at least as large in a, then whether two of these are larger in b.
    first_a, order = first_a.sort(dim=1, descending=True)
    second = F.pad(_second_largest(first_b.gather(1, order)), (1, 0), value=-torch.inf)
    ahead = torch.searchsorted(-first_a, -a, right=True)
    bound = (a + a.amax(1, keepdim=True)).clamp_min(0) * (b + b.amax(1, keepdim=True)).clamp_min(0)
    # Rounding must not exclude a feature of the best pair: its bound is the pair's value, so allow for the last digit.
    return (b >= second.gather(1, ahead)) & (bound >= worth[:, None] * (1 - 1e-4))


def _second_largest(values: Tensor) -> Tensor:
    """Return the second largest of the first k values for every k: the running maximum of all values but the largest."""
    before = F.pad(values, (1, 0), value=-torch.inf)[:, :-1].cummax(1).values
    return torch.minimum(values, before).cummax(1).values


def _places(left: Tensor) -> Tensor:
    """Return indices ``(N, K)`` where ``left`` is true, with K the most in any row; rows with fewer are padded with other indices."""
    count = min(max(2, int(left.sum(1).max())), left.shape[1])
    return left.to(torch.uint8).topk(count, dim=1).indices


def _undominated(a: Tensor, b: Tensor) -> Tensor:
    """Return the features that at most one other matches in both, padded with others, ``(N, K)``."""
    by_b = b.argsort(dim=1, descending=True)
    order = by_b.gather(1, a.gather(1, by_b).argsort(dim=1, descending=True, stable=True))  # sorted by a, and equal ones by b
    values = b.gather(1, order)
    second = F.pad(_second_largest(values), (1, 0), value=-torch.inf)[:, :-1]
    return order.gather(1, _places(values > second))


def _best_of(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best pair ``(N, 2)`` among all pairs of ``(N, K)``, block by block, and its value; -inf where there is none."""
    n, k = a.shape
    block = max(1, _TABLE // (n * k))
    worth = a.new_full((n,), -torch.inf)
    pairs = torch.zeros(n, 2, dtype=torch.int64, device=a.device)
    later = torch.arange(k, device=a.device)
    for start in range(0, k, block):
        some = later[start : start + block]
        across, down = a[:, some, None] + a[:, None, :], b[:, some, None] + b[:, None, :]
        fits = (across > 0) & (down > 0) & (later > some[:, None])
        best, place = torch.where(fits, across * down, -torch.inf).flatten(1).max(1)
        better = best > worth
        worth = torch.where(better, best, worth)
        pairs = torch.where(better[:, None], torch.stack([start + place // k, place % k], 1), pairs)
    return pairs, worth
