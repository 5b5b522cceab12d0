"""Probe: an attack for tests that uses every kind of input, and returns every kind of artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch

from engine.artifacts import Artifact, Axis, Curve, Map, Model, Perturbation, Picture, Table, Unit
from engine.balls import Norm
from engine.operation import Attack, AttackStep, Problem, Step, Use


class Probe(Attack):
    """Records its inputs, and adds a little noise at each step.

    Only for tests of the window.
    """

    slug: ClassVar[str] = "probe"
    title: ClassVar[str] = "Probe"
    family: ClassVar[str] = "Universal"
    paper: ClassVar[str] = "Nobody 1999, arXiv 9901.00001"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "data", "start"})
    needs: ClassVar[frozenset[Use]] = frozenset({"targets", "data", "start"})
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    masked: ClassVar[bool] = False
    knows: ClassVar = "labels"
    keeps: ClassVar = "last"
    reading_units: ClassVar[Mapping[str, Unit]] = {"held-out fooling rate": "share"}
    steps: int = 3
    """Number of steps."""

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield images that blend in more of the start image at each step."""
        assert problem.data is not None
        assert problem.start is not None
        seen = torch.tensor(len(problem.data) / 100)
        for index in range(self.steps + 1):
            share = index / self.steps
            images = (1 - share) * problem.images + share * problem.start
            loss = torch.full((len(images),), share, dtype=images.dtype)
            readings = {"held-out fooling rate": torch.tensor(share), "data": 100 * seen}
            yield AttackStep(index, self.steps, images, loss, readings=readings)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return one artifact of each kind."""
        channels, height, width = problem.images.shape[1:]
        grid = torch.arange(height * width, dtype=torch.float32).reshape(1, height, width)
        x = torch.linspace(0, 1, 5)
        return {
            "map": Map(grid, "pixels that flip"),
            "signed": Map(grid - grid.mean(), "difference", signed=True),
            "curve": Curve(x, {"Stop": x, "Yield": 1 - x}, "share against lambda", Axis("lambda"), Axis("share", "share")),
            "table": Table(
                ("name", "queries", "success rate", "L2"),
                (("a", 1200, 0.5, 1.25), ("b, c", 7, 1.0, 123.456)),
                "rows",
                units={"success rate": "share"},
            ),
            "picture": Picture(torch.full((channels, height, width), 0.5), "grey"),
            "substitute": Model(
                torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * height * width, problem.classifier.num_classes)),
                {"architecture": "linear", "trained": {"queries": 12, "agreement": 0.512345}},
            ),
            "universal": Perturbation(torch.full((1, channels, height, width), 0.1), "universal perturbation", universal=True),
        }
