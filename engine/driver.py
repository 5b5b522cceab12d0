"""The driver of every operation: it checks, seeds, counts queries, keeps the best iterate, clips, measures time and closes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.access import ModelAccess
from engine.artifacts import Lazy
from engine.checks import (
    check_goal,
    checked_images,
    checked_labels,
    checked_mask,
    checked_radii,
    checked_seed,
    checked_start,
    checked_targets,
)
from engine.chunks import ChunkedSteps
from engine.classifier import Classifier
from engine.devices import describe, versions
from engine.errors import BudgetExhausted, GibbonError
from engine.files import file_digest
from engine.operation import Attack, AttackStep, Operation, Problem, Step
from engine.pulled import Pulled
from engine.randomness import RowRandom
from engine.result import AttackResult, Reason, Result
from engine.timeline import Timeline
from engine.uses import check_needs, check_unused

if TYPE_CHECKING:
    from engine.data import DataSet


class Run(Pulled[Step]):
    """An operation in progress, pulled step by step. To pause is not to pull; ``result()`` is valid after any step; ``close()`` ends it."""

    def __init__(self, operation: Operation, problem: Problem, classifier: Classifier, seed: int, **extra: Any) -> None:
        self.operation, self.problem, self.classifier, self.seed = operation, problem, classifier, seed
        self.record: Timeline | None = extra.get("record")
        self._labels_assumed: bool = extra.get("labels_assumed", False)
        self._threads = torch.get_num_threads()
        self._files = {name: file_digest(path) for name, path in operation.named_files().items() if path.is_file()}
        self._chunks: ChunkedSteps | None = None
        if isinstance(operation, Attack):
            self._chunks = ChunkedSteps(operation, problem, extra.get("rows_at_a_time"), extra.get("first_logits"))
        super().__init__(operation.iterate(problem) if self._chunks is None else self._chunks)

    def _pull(self) -> Step:
        try:
            step = next(self._steps)
        except BudgetExhausted:
            self._end(Reason.BUDGET)
            if self.last is None:
                spent = 0 if self._chunks is None else self._chunks.spent_before
                raise GibbonError(_too_small(self.operation, self.problem, spent)) from None
            raise StopIteration from None
        if self._chunks is not None and self.record is not None:
            assert isinstance(step, AttackStep)
            self.record.add(self._chunks.judged(step, self.seconds_now()))
        return step

    def _reason_at_end(self) -> Reason:
        return Reason.BUDGET if self._chunks is not None and self._chunks.exhausted else Reason.FINISHED

    def result(self) -> Result:
        """Return the best so far, with the reason why the run ended.

        Raises
        ------
        RuntimeError
            The operation has not yielded a step yet.
        """
        if self.last is None:
            raise RuntimeError("The run has made no step yet, so there is no result. Pull at least one step.")
        common: dict[str, Any] = {
            "operation": self.operation,
            "reason": self.reason,
            "seconds": self.seconds,
            "forwards": self.problem.classifier.forwards,
            "backwards": self.problem.classifier.backwards,
            "provenance": Lazy(self._provenance),
        }
        if self._chunks is None:
            return Result(**common, artifacts=self.operation.artifacts(self.problem, self.last))
        assert isinstance(self.last, AttackStep)
        kept, data = self._chunks.kept(self.last), self.problem.data
        return AttackResult(
            **common,
            **self._chunks.outcome(),
            # A batch attacked in chunks has no single last step that holds all rows.
            artifacts={} if kept is None else Lazy(lambda: self.operation.artifacts(self.problem, kept)),
            notes=(*self.classifier.contract.remarks, *([] if data is None else data.notes), *self._chunks.notes),
            classifier=self.classifier,
            clean=self.problem.images,
            labels=self.problem.labels,
            targets=self.problem.targets,
            goals=self._chunks.goals,
            labels_assumed=self._labels_assumed,
        )

    def _end(self, reason: Reason) -> None:
        if self.reason is Reason.RUNNING:
            super()._end(reason)
            if self.record is not None and reason is not Reason.FAILED:
                self.record.settle()

    def _provenance(self) -> dict[str, Any]:
        data, objective = self.problem.data, self.problem.objective
        return {
            "model": {"name": self.classifier.name, "source": self.classifier.source, "fingerprint": self.classifier.fingerprint},
            "operation": {"slug": self.operation.slug, "parameters": self.operation.model_dump(mode="json")},
            "seed": self.seed,
            "device": str(self.classifier.device),
            "device_name": describe(self.classifier.device),
            "threads": self._threads,
            "versions": versions(),
            **({} if data is None else {"data": {"name": data.name, "count": len(data), "seed": data.seed, "sha256": data.sha256}}),
            **({"files": self._files} if self._files else {}),
            **({} if objective is None else {"objective": getattr(objective, "__qualname__", type(objective).__name__)}),
        }


def _check_operation(operation: object) -> None:
    if isinstance(operation, type) and issubclass(operation, Operation):
        raise GibbonError(f"{operation.__name__} is a kind of operation, not one with its parameters. Write {operation.__name__}().")
    if not isinstance(operation, Operation):
        raise GibbonError(f"The operation is of type {type(operation).__name__}: {operation!r}. Give one such as engine.attacks.PGD().")


def _too_small(operation: Operation, problem: Problem, spent_before: int) -> str:
    budget, count = getattr(operation, "max_queries", None), len(problem.images)
    if getattr(operation, "by_rows", False):
        known = " (one of them went into the label, which was not given)" if spent_before else ""
        return f"max_queries = {budget} for each image does not suffice for the first step{known}. Allow more."
    known = f" ({spent_before} of them went into the labels, which were not given)" if spent_before else ""
    images, cure = ("1 image", "Allow more.") if count == 1 else (f"{count} images", "Allow more, or give fewer.")
    return f"max_queries = {budget} does not suffice for the first step on {images}{known}. {cure}"


@torch.inference_mode(False)
def start(
    operation: Operation,
    classifier: Classifier,
    images: Tensor | None = None,
    labels: Tensor | None = None,
    targets: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    seed: int = 0,
    first_row: int = 0,
    seeds: Sequence[int] | None = None,
    labels_assumed: bool = False,
    start: Tensor | None = None,
    data: DataSet | None = None,
    models: Sequence[Classifier] = (),
    objective: Callable[[Tensor], Tensor] | None = None,
    record: Timeline | None = None,
    rows_at_a_time: int | None = None,
    radii: Tensor | None = None,
) -> Run:
    """Start ``operation`` on ``images``; each step is computed when the run is pulled.

    Parameters
    ----------
    operation
        The attack, explanation, defense or experiment to run.
    classifier
        The model under study.
    images
        ``(N, C, H, W)`` in [0, 1] of the classifier's input shape. None only for operations that use data alone, or grow their images
        from noise: one per target.
    labels
        ``(N,)`` true labels; None: the classifier's own predictions, and the result says so.
    targets
        ``(N,)``: an attack succeeds where the prediction is the target. None: untargeted.
    mask
        ``(H, W)``, ``(1, H, W)`` or ``(N or 1, 1, H, W)`` in [0, 1]: where pixels may change. None: everywhere.
    seed
        Row n draws from (seed, first_row + n), so a batch equals its single images.
    first_row
        The number of the first image, where the batch is a slice of a larger set.
    seeds
        A seed for each image, in place of ``seed``: row n then draws as the only image of a run with ``seeds[n]``.
    labels_assumed
        Whether ``labels`` are predictions (for the images without their stickers, say); the result then says so, and counts a query for
        each, as where they are not given.
    start, data, models, objective
        Further inputs, for operations that use them; see `Problem`.
    record
        A timeline that keeps steps of the run for scrubbing.
    rows_at_a_time
        How many images are attacked together; the others wait. None: as many as memory allows.
    radii
        ``(N,)``: a radius for each image instead of the attack's ``eps``, for attacks with ``takes_radii``.

    Raises
    ------
    GibbonError
        A shape, range or label is wrong; the sentence says which and what to do.
    """
    _check_operation(operation)
    seed = checked_seed(seed)
    if not isinstance(classifier, Classifier):
        raise GibbonError(
            f"The classifier is of type {type(classifier).__name__}. Wrap the network: engine.Classifier(module, labels, input_shape)."
        )
    if images is None:
        images = torch.zeros(1 if targets is None else len(targets), *classifier.input_shape)
    images = checked_images(images, classifier)
    if isinstance(operation, Attack):
        check_unused(operation, {"targets": targets, "mask": mask, "start": start})
    check_needs(operation, {"targets": targets, "mask": mask, "data": data, "start": start, "models": models or None})
    if isinstance(operation, Attack):
        check_goal(operation, classifier)
    if objective is not None and isinstance(operation, Attack) and not operation.follows_objective:
        raise GibbonError(f"{operation.title} cannot follow a further objective. Use an attack that can, such as PGD.")
    model = ModelAccess(classifier, operation.knows, operation.max_queries if isinstance(operation, Attack) else None)
    assumed = labels is None or labels_assumed
    first_logits = None
    if labels is None:
        first_logits = classifier.score(images)
        labels = first_logits.argmax(1)
    if assumed:
        model.forwards += len(images)
    labels = checked_labels(labels, images, classifier)
    problem = Problem(
        classifier=model,
        images=images,
        labels=labels,
        random=_random(seed, seeds, first_row, len(images), classifier),
        targets=checked_targets(targets, labels if getattr(operation, "from_image", True) else None, images, classifier),
        mask=checked_mask(mask, images),
        start=checked_start(start, images, classifier),
        data=data,
        models=models,
        objective=objective,
        radii=checked_radii(radii, operation, images),
    )
    return Run(
        operation,
        problem,
        classifier,
        seed,
        record=record,
        labels_assumed=assumed,
        first_logits=first_logits,
        rows_at_a_time=rows_at_a_time,
    )


def _random(seed: int, seeds: Sequence[int] | None, first_row: int, count: int, classifier: Classifier) -> RowRandom:
    if seeds is None:
        return RowRandom(seed, range(first_row, first_row + count), classifier.device)
    if len(seeds) != count:
        raise GibbonError(f"There are {len(seeds)} seeds for {count} images. Give one for each.")
    return RowRandom(seed, [0] * count, classifier.device, [checked_seed(each) for each in seeds])


def run(operation: Operation, classifier: Classifier, images: Tensor | None = None, *args: Any, **kwargs: Any) -> Any:
    """Run an operation to its end: `start` with the same parameters, and the result of the last step.

    The return type is loose on purpose: an attack returns an `AttackResult`, everything else a `Result`.
    """
    with start(operation, classifier, images, *args, **kwargs) as under_way:
        for _ in under_way:
            pass
        return under_way.result()
