"""Evaluations of a data set: its images take the place of the problem's own."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import GibbonError
from engine.operation import Problem


def of_data(problem: Problem) -> Problem:
    """Return the problem of the data set's images, where there is one."""
    data, model = problem.data, problem.classifier
    if data is None:
        return problem
    if data.shape != tuple(problem.images.shape[1:]):
        raise GibbonError(
            f"The data set's images are {data.shape}, but the model takes {tuple(problem.images.shape[1:])}. Choose a set of that size."
        )
    if not len(data):
        raise GibbonError("The data set holds no images. Choose one with images, or allow more of them.")
    images, _ = data.batch(slice(None))
    labels = data.targets_for(model.labels, model.whole.name)
    random = problem.random.select([0] * len(images))  # nothing is drawn
    like = problem.images
    return replace(problem, images=images.to(like), labels=labels.to(like.device), random=random, data=None)
