"""How many rows go together: by the size of an image alone, at least one, and what the rules say of the usual sizes."""

from __future__ import annotations

import pytest
import torch

from engine import batching


@pytest.mark.parametrize("rule", [batching.rows_with_graph, batching.rows_per_pass, batching.rows_per_step, batching.questions_per_step])
def test_a_batch_is_cut_as_its_single_images_are(rule) -> None:  # type: ignore[no-untyped-def]
    for shape in ((1, 8, 8), (3, 32, 32), (3, 224, 224), (3, 4000, 6000)):
        one = rule(torch.empty(1, *shape, device="meta"))
        assert one == rule(torch.empty(77, *shape, device="meta")) >= 1


def test_the_rules_written_out() -> None:
    small, large = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 224, 224)
    assert [batching.rows_per_pass(images) for images in (small, large)] == [128, 2]
    assert [batching.rows_per_step(images) for images in (small, large)] == [512, 8]
    assert [batching.rows_with_graph(images) for images in (small, large)] == [2**28 // (100 * 3072 * 4), 2**28 // (100 * 150528 * 4)]
    assert batching.rows_with_graph(small.double()) == batching.rows_with_graph(small) // 2
    assert [batching.questions_per_step(images) for images in (small, large)] == [195, 3]
    # A step asks about a pass of every image's candidates, or about all of them where these are fewer.
    assert [batching.images_per_step(small, candidates) for candidates in (1, 100, 128, 10_000)] == [512, 5, 4, 4]
