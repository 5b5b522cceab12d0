"""The cosine transform of blocks of 8 x 8 in whole numbers, and back, bit for bit as libjpeg computes it by default.

Loeffler, Ligtenberg, Moschytz 1989, with the constants in units of 2^-13.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BITS = 13
_FIRST_PASS = 2
"""Further bits that are kept between the two passes."""
_C0_298, _C0_390, _C0_541, _C0_765, _C0_899, _C1_175 = 2446, 3196, 4433, 6270, 7373, 9633
_C1_501, _C1_847, _C1_961, _C2_053, _C2_562, _C3_072 = 12299, 15137, 16069, 16819, 20995, 25172


def transformed(blocks: Tensor) -> Tensor:
    """Return the coefficients of blocks ``(..., 8, 8)``, int32 from -128 to 127, times 8."""
    rows = _forward(blocks, -1, first=True)
    return _forward(rows, -2, first=False)


def restored(coefficients: Tensor) -> Tensor:
    """Return the blocks of coefficients ``(..., 8, 8)``, int32, before they are limited to -128 to 127."""
    columns = _inverse(coefficients, -2, _BITS - _FIRST_PASS)
    return _inverse(columns, -1, _BITS + _FIRST_PASS + 3)


def _descale(value: Tensor, bits: int) -> Tensor:
    return (value + (1 << (bits - 1))) >> bits


def _forward(values: Tensor, dim: int, first: bool) -> Tensor:
    d = values.unbind(dim)
    s0, s1, s2, s3 = d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]
    t7, t6, t5, t4 = d[0] - d[7], d[1] - d[6], d[2] - d[5], d[3] - d[4]
    t10, t13, t11, t12 = s0 + s3, s0 - s3, s1 + s2, s1 - s2
    sums = t10 + t11, t10 - t11
    f0, f4 = (value << _FIRST_PASS if first else _descale(value, _FIRST_PASS) for value in sums)
    bits = _BITS - _FIRST_PASS if first else _BITS + _FIRST_PASS
    z1 = (t12 + t13) * _C0_541
    f2, f6 = _descale(z1 + t13 * _C0_765, bits), _descale(z1 - t12 * _C1_847, bits)
    odd = _odd(t4, t5, t6, t7)
    f7, f5, f3, f1 = (_descale(value, bits) for value in odd)
    return torch.stack([f0, f1, f2, f3, f4, f5, f6, f7], dim)


def _inverse(values: Tensor, dim: int, bits: int) -> Tensor:
    f = values.unbind(dim)
    z1 = (f[2] + f[6]) * _C0_541
    t2, t3 = z1 - f[6] * _C1_847, z1 + f[2] * _C0_765
    t0, t1 = (f[0] + f[4]) << _BITS, (f[0] - f[4]) << _BITS
    t10, t13, t11, t12 = t0 + t3, t0 - t3, t1 + t2, t1 - t2
    o0, o1, o2, o3 = _odd(f[7], f[5], f[3], f[1])
    outer = t10 + o3, t11 + o2, t12 + o1, t13 + o0, t13 - o0, t12 - o1, t11 - o2, t10 - o3
    return torch.stack([_descale(value, bits) for value in outer], dim)


def _odd(t0: Tensor, t1: Tensor, t2: Tensor, t3: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the four odd parts, which both directions have in common."""
    z1, z2, z3, z4 = t0 + t3, t1 + t2, t0 + t2, t1 + t3
    z5 = (z3 + z4) * _C1_175
    z1, z2, z3, z4 = -z1 * _C0_899, -z2 * _C2_562, z5 - z3 * _C1_961, z5 - z4 * _C0_390
    return t0 * _C0_298 + z1 + z3, t1 * _C2_053 + z2 + z4, t2 * _C3_072 + z2 + z3, t3 * _C1_501 + z1 + z4
