"""What painting and searching cost beside the model: ``python -m tests.benchmarks.placing`` prints the ratios to the bare passes.

The bare passes and the search are timed in turns, and the median of their ratios is printed: other work on the machine meets both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

import engine
from engine import attacks
from engine.operation import Attack

ROUNDS = 7
CANDIDATES = 1000


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Print a line for each search."""
    torch.set_num_threads(1)
    classifier = engine.models.load("signs")
    images, labels = engine.data.load("generated:signs", count=1).batch(slice(0, 1))

    def bare(together: int, count: int) -> None:
        rows = images.expand(together, -1, -1, -1).contiguous()
        with torch.no_grad():
            for first in range(0, count, together):
                classifier(rows[: min(together, count - first)])

    searches: dict[str, tuple[Attack, int, int]] = {
        "random, 128 at a time": (
            attacks.StickerSearch(search="random", population=128, queries=CANDIDATES, stop="never"),
            128,
            CANDIDATES,
        ),
        "evolution, 64 at a time": (attacks.StickerSearch(queries=CANDIDATES, stop="never"), 64, CANDIDATES),
        "swarm, 128 at a time": (attacks.StickerSearch(search="swarm", population=128, queries=CANDIDATES, stop="never"), 128, CANDIDATES),
        "landscape of 6 x 6, every place": (attacks.StickerLandscape(stride=1), 128, 27 * 27),
    }
    for name, (attack, together, count) in searches.items():
        search = partial(engine.run, attack, classifier, images, labels)
        search()
        pairs = [(seconds(partial(bare, together, count)), seconds(search)) for _ in range(ROUNDS)]
        ratio = statistics.median(took / alone for alone, took in pairs)
        print(f"{name}: {ratio:.2f} x the bare passes; {statistics.median(took for _, took in pairs):.2f} s for {count} candidates")


if __name__ == "__main__":
    main()
