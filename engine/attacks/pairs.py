"""The exact best pair of JSMA's saliency map, without a table of all pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.balls import TINY

_FIRST = 64
"""Candidates looked at first; nearly always their best pair is proven to be the best of all."""
_TABLE = 2**22
"""Entries of a table of pairs held at once: 16 MB in float32."""


@torch.no_grad()
def best_pairs(alpha: Tensor, beta: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Of all pairs of allowed features the one with the largest ``-A * B``, where ``A = alpha_p + alpha_q > 0 > B = beta_p + beta_q``.

    A table of all pairs has d^2 entries: 2.3e10 for a photograph. Two exact steps do without. With ``b = -beta``:

    1. No pair with p is worth more than ``bound_p = (alpha_p + max alpha) * (b_p + max b)``. The best pair of the 64 largest bounds is the
       best of all where it is worth at least the 65th bound: O(d).
    2. Rows where it is not: a feature that two others match in both alpha and b can be exchanged for one of them that is not yet in the
       pair, at no loss. So an optimal pair lies among those matched by at most one (a part of the two outer Pareto layers), which a sort
       and two running maxima find: O(d log d), and a table of them alone.

    Parameters
    ----------
    alpha
        ``(N, d)``: gradient of the target's output.
    beta
        ``(N, d)``: gradient of the sum of the other outputs.
    allowed
        ``(N, d)`` bool: features that may change. Where a gradient is not finite none may.

    Returns
    -------
    The pairs ``(N, 2)``, and ``(N,)`` bool: whether there is one with ``A > 0 > B``; elsewhere the pair has no meaning.
    """
    allowed = allowed & alpha.isfinite() & beta.isfinite()
    if alpha.shape[1] < 2:
        return torch.zeros(len(alpha), 2, dtype=torch.int64, device=alpha.device), torch.zeros_like(allowed[:, :1]).any(1)
    a, b = _scaled(alpha, allowed), _scaled(-beta, allowed)
    # Where nothing is allowed the largest is -inf, and so is every bound.
    bound = (a + a.amax(1, keepdim=True)).clamp_min(0) * (b + b.amax(1, keepdim=True)).clamp_min(0)
    bound = torch.where(allowed, bound, -1.0)
    count = min(_FIRST, a.shape[1] - 1)
    largest, chosen = bound.topk(count + 1, dim=1)
    chosen = chosen[:, :count]
    pairs, worth = _best_of(a.gather(1, chosen), b.gather(1, chosen))
    pairs = chosen.gather(1, pairs)
    # A bound of 0 is no pair at all: A or B would not have the sign that is asked for.
    rest = ((largest[:, count] > worth) & (largest[:, count] > 0)).nonzero()[:, 0]
    if len(rest):
        inside = bound[rest] >= worth[rest, None].clamp_min(0)
        found, value = _among_undominated(a[rest].masked_fill(~inside, -torch.inf), b[rest].masked_fill(~inside, -torch.inf))
        better = value > worth[rest]
        pairs = pairs.index_copy(0, rest, torch.where(better[:, None], found, pairs[rest]))
        worth = worth.index_copy(0, rest, torch.where(better, value, worth[rest]))
    return pairs, worth > -torch.inf


def _scaled(values: Tensor, allowed: Tensor) -> Tensor:
    """Over the largest magnitude of the row, so that no product underflows; -inf where not allowed."""
    scale = values.masked_fill(~allowed, 0.0).abs().amax(1, keepdim=True).clamp_min(TINY**2)
    return (values / scale).masked_fill(~allowed, -torch.inf)


def _among_undominated(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The best pair of the features that at most one other matches in both."""
    by_b = b.argsort(dim=1, descending=True)
    order = by_b.gather(1, a.gather(1, by_b).argsort(dim=1, descending=True, stable=True))  # by a, equal ones by b
    values = b.gather(1, order)
    before = torch.nn.functional.pad(values, (1, 0), value=-torch.inf)[:, :-1]
    first = before.cummax(1).values
    # The running second largest: the largest of what was not above, or was pushed down from, the running largest.
    pushed = torch.minimum(values, first)
    second = torch.nn.functional.pad(pushed, (1, 0), value=-torch.inf)[:, :-1].cummax(1).values
    open_ = values > second
    count = max(2, int(open_.sum(1).max()))
    places = open_.to(torch.uint8).topk(min(count, a.shape[1]), dim=1).indices
    chosen = order.gather(1, places)
    kept = open_.gather(1, places)
    pairs, worth = _best_of(a.gather(1, chosen).masked_fill(~kept, -torch.inf), b.gather(1, chosen).masked_fill(~kept, -torch.inf))
    return chosen.gather(1, pairs), worth


def _best_of(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The best pair ``(N, 2)`` of ``(N, K)`` by all of its pairs, a block of them at a time, and its worth; -inf where there is none."""
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
