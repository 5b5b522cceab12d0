"""The engine's own time: milliseconds a run and a step above the bare passes, on one core.

``uv run python -m tests.benchmarks.overhead``. The shipped ``digits`` and drawn digits, so that nothing is needed but this project. Runs
and bare passes take turns in one process. Their time is the thread's own on the core, and the median of the differences counts, so that
what else a shared machine does is left out as far as can be.

    a run = FGSM minus its bare passes
    a step = (PGD-40 minus its bare passes, less a run) / 40
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

import engine
from engine import attacks
from tests.benchmarks.libraries import Task
from tests.benchmarks.measuring import bare, ours

MOST_A_RUN, MOST_A_STEP = 0.5, 0.1
"""Milliseconds that are asked."""
STEPS = 40


def main() -> int:
    """Measure, print, and say what was asked and missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.overhead", description=__doc__)
    parser.add_argument("--repeats", type=int, default=60, help="pairs of one image; a tenth of it for a hundred")
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    classifier = engine.models.load("digits", device="cpu")
    images, labels = engine.data.load("generated:digits", count=100).batch(slice(None))
    table = Table("images", "FGSM, ms", "bare", "a run", "PGD-40, ms", "bare", "a step", title="Overhead above the bare passes")
    missed = False
    for rows in (1, 100):
        task = Task(classifier, images[:rows], labels[:rows], None)
        pairs = repeats if rows == 1 else max(5, repeats // 10)
        run, fgsm, fgsm_bare = difference(task, attacks.FGSM(eps=0.1), (2, 1), pairs)
        whole, pgd, pgd_bare = difference(task, attacks.PGD(eps=0.1, steps=STEPS), (STEPS + 1, STEPS), max(5, pairs // 2))
        step = (whole - run) / STEPS
        missed |= run > MOST_A_RUN or step > MOST_A_STEP
        table.add_row(str(rows), *(f"{value:.3f}" for value in (fgsm, fgsm_bare, run, pgd, pgd_bare, step)))
    Console(width=110).print(table)
    print(f"Asked: at most {MOST_A_RUN} ms a run and {MOST_A_STEP} ms a step. {'Missed.' if missed else 'Reached.'}")
    return int(missed)


def difference(task: Task, attack: engine.Attack, passes: tuple[int, int], pairs: int) -> tuple[float, float, float]:
    """Medians in milliseconds: the attack minus its passes, pair by pair; the attack; the passes."""
    mine, theirs = ours(attack), bare(*passes)
    for _ in range(3):
        mine.work(task), theirs.work(task)
    taken = [(_milliseconds(lambda: mine.work(task)), _milliseconds(lambda: theirs.work(task))) for _ in range(pairs)]
    return (
        statistics.median(one - other for one, other in taken),
        statistics.median(one for one, _ in taken),
        statistics.median(other for _, other in taken),
    )


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return 1000 * (time.thread_time() - started)


if __name__ == "__main__":
    sys.exit(main())
