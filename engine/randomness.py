"""Randomness that does not depend on the batch: every row draws from its own generator, seeded by (seed, row)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


def generator(seed: int, *path: int | str) -> torch.Generator:
    """Return a CPU generator for ``seed`` and a path of names below it; different paths give independent streams."""
    digest = hashlib.blake2b(repr((seed, *path)).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


class Random(Protocol):
    """Random numbers for the rows of a batch."""

    def uniform(self, shape: Sequence[int], /) -> Tensor:
        """Draw uniform numbers in [0, 1), ``(N, *shape)``."""

    def normal(self, shape: Sequence[int], /) -> Tensor:
        """Draw standard normal numbers, ``(N, *shape)``."""


class BatchRandom:
    """Random numbers for consecutive rows of a batch, from one generator.

    Numbers are always drawn for all ``total`` rows, on the CPU: processes that share a batch, each with rows of its own, together draw what
    one process draws.

    Parameters
    ----------
    generator
        A generator on the CPU.
    total
        Number of rows of the whole batch.
    rows
        The rows that are wanted; None: all.
    device
        The device to which the numbers are moved.
    """

    def __init__(self, generator: torch.Generator, total: int, rows: slice | None = None, device: torch.device | str = "cpu") -> None:
        self._generator, self.total, self._rows, self._device = generator, total, rows or slice(0, total), device

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draw uniform numbers in [0, 1), ``(N, *shape)``."""
        return torch.rand(self.total, *shape, generator=self._generator)[self._rows].to(self._device)

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Draw standard normal numbers, ``(N, *shape)``."""
        return torch.randn(self.total, *shape, generator=self._generator)[self._rows].to(self._device)


class _Row:
    """Generator of one row, made at its first draw: most attacks draw little or nothing, and seeding a thousand generators takes time."""

    __slots__ = ("_made", "row", "seed")

    def __init__(self, seed: int, row: int) -> None:
        self.seed, self.row = seed, row
        self._made: torch.Generator | None = None

    @property
    def generator(self) -> torch.Generator:
        if self._made is None:
            self._made = generator(self.seed, self.row)
        return self._made


class RowRandom:
    """Random numbers for the rows of a batch, so that a batch of n equals its n single images.

    Draws are made on the CPU in float32 and moved, so that the numbers are the same on every device.

    Parameters
    ----------
    seed
        The seed of the run.
    rows
        Indices of the rows in the whole data set.
    device
        The device to which the numbers are moved.
    seeds
        A seed of its own for each row, in place of ``seed``; None: ``seed`` for all.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu", seeds: Sequence[int] | None = None) -> None:
        self._rows, self._made = rows, list[_Row]()
        self._device = torch.device(device)
        self.seed, self._seeds = seed, seeds

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def _each(self) -> list[_Row]:
        """Generators of the rows, made at the first draw: many runs make none."""
        if len(self._made) < len(self._rows):
            seeds = self._seeds or [self.seed] * len(self._rows)
            self._made = [_Row(seed, row) for seed, row in zip(seeds, self._rows, strict=True)]
        return self._made

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draw uniform numbers in [0, 1), ``(N, *shape)``."""
        return torch.stack([torch.rand(*shape, generator=row.generator) for row in self._each]).to(self._device)

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Draw standard normal numbers, ``(N, *shape)``."""
        return torch.stack([torch.randn(*shape, generator=row.generator) for row in self._each]).to(self._device)

    def integers(self, high: int, shape: Sequence[int] = ()) -> Tensor:
        """Draw integers in [0, high), ``(N, *shape)``."""
        return torch.stack([torch.randint(high, tuple(shape), generator=row.generator) for row in self._each]).to(self._device)

    def repeat(self, times: int) -> RowRandom:
        """Return the same generators for ``times`` blocks of rows: block k of row n takes row n's next draws."""
        return self._with(self._each * times)

    def select(self, rows: Sequence[int]) -> RowRandom:
        """Return the generators of some rows (positions in this batch), which continue from their current state."""
        return self._with([self._each[row] for row in rows])

    def anew(self) -> RowRandom:
        """Return generators of the same rows, reset to their first draws."""
        return RowRandom(self.seed, self._rows, self._device, self._seeds)

    def shared(self, *path: int | str) -> torch.Generator:
        """Return a new CPU generator made from the seed alone, for draws that belong to no row, such as initial weights."""
        return generator(self.seed, *path)

    def _with(self, rows: list[_Row]) -> RowRandom:
        copy = RowRandom(self.seed, [row.row for row in rows], self._device, [row.seed for row in rows])
        copy._made = rows
        return copy
