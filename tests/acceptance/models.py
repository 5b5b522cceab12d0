"""The shipped models on the official test sets, and on drawings from a seed that nothing was tuned on."""

from __future__ import annotations

from collections.abc import Iterator

import torch

import engine
from engine.data import DataSet
from tests.acceptance.figures import Figure, at_least, at_most

UNUSED_SEED = 20261
TWINS = {"digits": ("mnist", 99.0), "signs": ("gtsrb", 98.0)}


def accuracy(classifier: engine.Classifier, data: DataSet) -> tuple[float, torch.Tensor]:
    """Percent right, and the rows that are."""
    images, labels = data.batch(range(len(data)))
    right = classifier.predict(images).cpu() == labels
    return 100 * float(right.float().mean()), right


def figures(root: str | None) -> Iterator[Figure]:
    """Test accuracies, distances of the twins, and the drawings."""
    objects = engine.data.load("cifar10", "test", root=root)
    percent, _ = accuracy(engine.models.load("objects"), objects)
    yield at_least(f"objects: {objects.name} accuracy", percent, 72, " %")
    yield at_most(f"objects: {objects.name} accuracy, kept small on purpose", percent, 80)
    for kind, (name, limit) in TWINS.items():
        data = engine.data.load(name, "test", root=root)
        plain, _ = accuracy(engine.models.load(kind), data)
        yield at_least(f"{kind}: {data.name} accuracy", plain, limit, " %")
        for twin in ("bounded", "bounded-leaky"):
            bounded, _ = accuracy(engine.models.load(f"{kind}-{twin}"), data)
            yield at_most(f"{kind}-{twin}: points below its ReLU twin", plain - bounded, 0.5)
        drawn = engine.data.load(f"generated:{kind}", seed=UNUSED_SEED, count=430 if kind == "signs" else 200)
        percent, right = accuracy(engine.models.load(kind), drawn)
        yield at_least(f"{kind}: {len(drawn)} drawings, seed {UNUSED_SEED}", percent, 90, " %")
        for label, title in enumerate(drawn.labels):
            rows = drawn.targets == label
            if bool(rows.any()) and float(right[rows].float().mean()) < 0.9:
                yield Figure(f"  drawn “{title}”", f"{int(right[rows].sum())} of {int(rows.sum())}")
