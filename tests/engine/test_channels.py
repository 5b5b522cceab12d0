"""One channel of three: against the rule written out pixel by pixel."""

from __future__ import annotations

import numpy as np

from engine.channels import strongest_channel


def test_every_pixel_shows_the_channel_that_changed_most_with_its_sign() -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    literal = np.array([[max(values[:, row, column], key=abs) for column in range(5)] for row in range(4)])
    assert np.array_equal(strongest_channel(values), literal)
    assert np.array_equal(strongest_channel(values[:1]), values[0])
    assert strongest_channel(np.array([[[-2.0]], [[2.0]], [[1.0]]])).tolist() == [[-2.0]]  # the first among equals
