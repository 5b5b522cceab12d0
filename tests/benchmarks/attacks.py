"""Ours against Foolbox, torchattacks and ART: one process, interleaved, the same models, images and thread count.

``uv run --group parity python -m tests.benchmarks.attacks --data DIR [--imagenet DIR] [CASE ...]``. DIR holds MNIST and CIFAR-10 as
``engine.data`` reads them; the ImageNet folder holds ``squeezenet1_0.pth`` and ``images/``. Every library's time includes one forward
pass for the verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import engine
from tests.benchmarks import universal
from tests.benchmarks.cases import CASES, Case
from tests.benchmarks.libraries import Task
from tests.benchmarks.measuring import Attacker, interleaved, verdict, within

COLUMNS = ("attacker", "seconds", "forwards", "backwards", "success", "median", "times ours", "note")


def main() -> int:
    """Measure, print, and say what was asked and missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.attacks", description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join((*CASES, 'universal'))} (default: all)")
    parser.add_argument("--data", default=os.environ.get("GIBBON_DATA"), help="folder with MNIST and CIFAR-10 (default: GIBBON_DATA)")
    parser.add_argument("--imagenet", default=os.environ.get("GIBBON_IMAGENET"), help="folder with squeezenet1_0.pth and images/")
    parser.add_argument("--device", help="default: CUDA where there is one")
    parser.add_argument("--threads", type=int, default=1, help="torch's, the same for every library")
    parser.add_argument("--repeats", type=int, help="instead of each case's own")
    parser.add_argument("--json", help="also write the rows to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    where = Place(arguments.data, arguments.imagenet, arguments.device)
    rows: list[dict[str, Any]] = []
    missed: list[str] = []
    for name in arguments.cases or (*CASES, "universal"):
        found = measured(name, where, arguments.repeats)
        rows += found
        missed += [line for row in found for line in row["missed"]]
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(*(missed or ["All that was asked was reached."]), sep="\n")
    return 1 if missed else 0


def measured(name: str, where: Place, repeats: int | None) -> list[dict[str, Any]]:
    """One case: its rows, printed."""
    if name == "universal":
        title, rows = universal.compare(where.classifier("digits"), where.root)
        show(title, rows)
        return rows
    case = CASES[name]
    try:
        task = where.task(case)
    except engine.GibbonError as error:
        print(f"{case.title}: left out. {error}")
        return []
    attackers = list(case.attackers(task))
    interleaved(task, attackers, repeats or case.repeats, case.warm_up)
    rows = list(described(name, case, task, attackers))
    show(f"{case.title}: {task.rows} image{'s' if task.rows > 1 else ''} on {where.about(task)}", rows)
    return rows


def described(name: str, case: Case, task: Task, attackers: list[Attacker]) -> Iterator[dict[str, Any]]:
    """The rows as numbers, with what was asked of ours."""
    mine = attackers[0]
    facts = {a.name: verdict(task, a.adversarial, case.norm) for a in attackers if a.adversarial is not None}
    for attacker in attackers:
        success, size = facts.get(attacker.name, (float("nan"), float("nan")))
        note = attacker.error
        if attacker.adversarial is not None and not within(task, attacker.adversarial):
            note = "leaves [0, 1]"
        yield {
            "case": name,
            "attacker": attacker.name,
            "seconds": attacker.median,
            "forwards": attacker.forwards,
            "backwards": attacker.backwards,
            "success": success,
            "median": size,
            "times ours": attacker.median / mine.median,
            "note": note,
            "missed": list(asked(case, attackers, facts)) if attacker is mine else [],
        }


def asked(case: Case, attackers: list[Attacker], facts: dict[str, tuple[float, float]]) -> Iterator[str]:
    """What ours misses, in sentences."""
    mine = attackers[0]
    if mine.error:
        yield f"{case.title}: ours failed: {mine.error}."
        return
    success, size = facts[mine.name]
    libraries = [a for a in attackers[1:] if a.name != "bare passes" and not a.error and a.name in facts]
    strong = [a for a in libraries if facts[a.name][0] >= case.strong_enough]
    for yardstick, factor in case.faster.items():
        named = strong if yardstick == "fastest" else [a for a in libraries if a.name == yardstick]
        for other in sorted(named, key=lambda a: a.median)[:1]:
            if other.median / mine.median < factor:
                yield f"{case.title}: {other.median / mine.median:.2f} times faster than {other.name}, asked {factor:g}."
    for other in strong if case.faster else []:
        if success < facts[other.name][0] - 1e-9:
            yield f"{case.title}: success {success:.1f} %, {other.name} has {facts[other.name][0]:.1f} %."
        if case.norm != "linf" and size > facts[other.name][1] * 1.0001 and success <= facts[other.name][0]:
            yield f"{case.title}: median {size:.4g}, {other.name} has {facts[other.name][1]:.4g}."
    for other in attackers:
        if other.name == "bare passes" and case.most_of_bare is not None and mine.median / other.median > case.most_of_bare:
            yield f"{case.title}: {mine.median / other.median:.2f} times the bare passes, asked at most {case.most_of_bare:g}."
    if case.success is not None and success < case.success:
        yield f"{case.title}: success {success:.1f} %, asked {case.success:g} %."
    if case.size is not None and size > case.size:
        yield f"{case.title}: median {size:.3g}, asked at most {case.size:g}."


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """One table."""
    table = Table(*COLUMNS, title=title)
    for row in rows:
        numbers = (f"{row['seconds']:.4g}", str(row["forwards"]), str(row["backwards"]), f"{row['success']:.1f} %", f"{row['median']:.4g}")
        table.add_row(row["attacker"], *numbers, f"{row['times ours']:.2f}", row["note"])
    Console(width=120).print(table)


class Place:
    """Models and images, loaded once."""

    def __init__(self, root: str | None, imagenet: str | None, device: str | None) -> None:
        self.root, self._imagenet, self._device = root, imagenet, device
        self._classifiers: dict[str, engine.Classifier] = {}

    def classifier(self, model: str) -> engine.Classifier:
        """A shipped model, or SqueezeNet from the ImageNet folder."""
        if model not in self._classifiers:
            if model == "imagenet":
                self._classifiers[model] = self._squeezenet()
            else:
                self._classifiers[model] = engine.models.load(model, device=self._device)
        return self._classifiers[model]

    def task(self, case: Case) -> Task:
        """The first correctly classified images of the test set, and the next class as target where one is asked for."""
        classifier = self.classifier(case.model)
        if case.model == "imagenet":
            images, labels = self._photographs(classifier)
        else:
            data = engine.data.load("mnist" if case.model == "digits" else "cifar10", "test", root=self.root)
            step = max(1, len(data) // 2000)  # CIFAR-10 as folders comes sorted by class
            images, labels = data.batch(range(0, len(data), step) if case.model == "objects" else range(3 * case.images + 20))
        images, labels = images.to(classifier.device), labels.to(classifier.device)
        right = (classifier.predict(images) == labels).nonzero().flatten()[: case.images]
        if case.model == "objects":
            right = (classifier.predict(images) == labels).nonzero().flatten()
            right = right[:: max(1, len(right) // case.images)][: case.images]
        labels = labels[right]
        return Task(classifier, images[right], labels, (labels + 1) % classifier.num_classes if case.targeted else None)

    def about(self, task: Task) -> str:
        """Model, device and threads."""
        return f"{task.classifier.name}, {task.classifier.device}, {torch.get_num_threads()} thread(s)"

    def _squeezenet(self) -> engine.Classifier:
        if self._imagenet is None:
            raise engine.GibbonError("The ImageNet folder is not known: give --imagenet, or set GIBBON_IMAGENET.")
        return engine.models.load(
            str(Path(self._imagenet) / "squeezenet1_0.pth"), architecture="torchvision:squeezenet1_0", device=self._device
        )

    def _photographs(self, classifier: engine.Classifier) -> tuple[torch.Tensor, torch.Tensor]:
        files = sorted((Path(str(self._imagenet)) / "images").iterdir())
        images = torch.stack([engine.images.read(file, classifier) for file in files])
        return images, classifier.predict(images)  # what the model sees in them: an attack must change that


if __name__ == "__main__":
    sys.exit(main())
