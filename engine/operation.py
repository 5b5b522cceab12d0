"""An operation is a frozen set of parameters with one method, the loop of the paper: a generator of frozen steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import Tensor

from engine.access import Knowledge, ModelAccess
from engine.artifacts import Artifact, Unit
from engine.balls import BALLS, Ball, Norm
from engine.classifier import Classifier
from engine.parameterised import Parameterised
from engine.parameters import limit
from engine.randomness import RowRandom
from engine.ranking import reached

if TYPE_CHECKING:
    from engine.data import DataSet

Use = Literal["labels", "targets", "mask", "data", "start", "models", "stickers"]
Access = Literal["white box", "scores only", "labels only", "transfer"]
_ACCESS: dict[Knowledge, Access] = {"gradients": "white box", "scores": "scores only", "labels": "labels only"}


@dataclass(frozen=True)
class Step:
    """One step of an operation: frozen, and nothing that it holds changes after it was yielded."""

    index: int
    """Number of the step, counted from 0."""
    total: int | None
    """The last index, or None where it is not known beforehand."""
    readings: Mapping[str, Tensor] = field(default_factory=dict, kw_only=True)
    """Named scalars worth watching, such as a fooling rate: tensors of no dimension, still on the device."""
    news: str = field(default="", kw_only=True)
    """A sentence about the current stage, where there is more to report than the step's number."""
    share_done: float | None = field(default=None, kw_only=True)
    """Progress of the whole run, from 0 to 1, where it is known better than by ``index / total``."""


@dataclass(frozen=True, eq=False)
class AttackStep(Step):
    """One step of an attack, with its tensors on the device. They are never written to after the step was yielded."""

    adversarial: Tensor
    """The iterate: images ``(N, C, H, W)`` in [0, 1]."""
    loss: Tensor
    """The loss that the attacker maximises, ``(N,)``; for a target it is minus the loss towards that target."""
    logits: Tensor | None = None
    """Logits ``(N, K)`` of ``adversarial``, where the attack has them anyway; None: the driver queries the classifier."""
    first_row: int = field(default=0, kw_only=True)
    """Index of the first row of this step in the whole batch: a large batch is attacked in chunks."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """Sentences about the run for the result; one that several chunks give appears once."""
    goals: Tensor | None = field(default=None, kw_only=True)
    """The target classes ``(N,)`` that the attack chose itself, one for each image; the result reports them."""
    score: Tensor | None = None
    """The score ``(N,)`` by which the driver keeps the best of the successful iterates, and of the others. None: the rule of ``keeps``."""


@dataclass(frozen=True, eq=False)
class Problem:
    """The inputs of an operation. Shapes, ranges and device have been checked."""

    classifier: ModelAccess
    images: Tensor
    """The clean images, ``(N, C, H, W)`` in [0, 1]."""
    labels: Tensor
    """The true classes, ``(N,)``."""
    random: RowRandom
    targets: Tensor | None = None
    """The classes that the attacker wants, ``(N,)``; None: untargeted."""
    mask: Tensor | None = None
    """The pixels that may change, ``(N or 1, 1, H, W)`` in [0, 1]."""
    start: Tensor | None = None
    """The images ``(N, C, H, W)`` at which operations that use a start begin."""
    data: DataSet | None = None
    models: Sequence[Classifier] = ()
    objective: Callable[[Tensor], Tensor] | None = None
    """A function from images to values ``(N,)`` that the attacker maximises, too: for attackers who know a defense or a detector."""
    radii: Tensor | None = None
    """A radius for each row, ``(N,)``, instead of the attack's ``eps``, for attacks that take them; None: ``eps`` for all."""
    copies: int = 1
    """Number of blocks of the same images in this batch, as made by `repeat`."""
    scratch: dict[str, Any] = field(default_factory=dict)
    """Objects that `Operation.artifacts` needs and no frozen step may hold, such as a network in training. Each run has its own."""

    def compose(self, delta: Tensor) -> Tensor:
        """Apply a perturbation: ``clamp(images + mask * delta, 0, 1)``. Where the mask is 0 the bits of ``images`` stay."""
        changed = self.images + (delta if self.mask is None else self.mask * delta)
        return changed.clamp(0, 1)

    def select(self, rows: Tensor) -> Problem:
        """Return the problem of the images at ``rows`` (indices) alone, such as the active rows once others are solved."""

        def chosen(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor[rows]

        mask = self.mask if self.mask is not None and len(self.mask) == 1 else chosen(self.mask)
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            random=self.random.select(rows.tolist()),
            targets=chosen(self.targets),
            mask=mask,
            start=chosen(self.start),
            radii=chosen(self.radii),
            copies=1,
        )

    def succeeds(self, logits: Tensor) -> Tensor:
        """Return ``(N,)`` bool: whether logits ``(N, K)`` are a success of the attacker; ``(..., N)`` for ``(..., N, K)``. NaN is none."""
        return self.reached(logits) & ~logits.isnan().any(-1)

    def reached(self, logits: Tensor) -> Tensor:
        """Return the same as ``succeeds``, for logits that are known to hold no NaN."""
        return reached(logits.argmax(-1), self.labels, self.targets)

    def repeat(self, times: int) -> Problem:
        """Repeat every row ``times`` times, block after block: restarts become rows of one batch."""
        if times == 1:
            return self

        def tiled(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.repeat(times, *[1] * (tensor.dim() - 1))

        mask = self.mask if self.mask is not None and len(self.mask) == 1 else tiled(self.mask)  # one mask serves all rows as it is
        return replace(
            self,
            images=self.images.repeat(times, 1, 1, 1),
            labels=self.labels.repeat(times),
            random=self.random.repeat(times),
            targets=tiled(self.targets),
            mask=mask,
            start=tiled(self.start),
            radii=tiled(self.radii),
            copies=times * self.copies,
        )


class Operation(Parameterised, ABC):
    """An attack, explanation, detection, training or evaluation: parameters plus steps.

    Its fields are the parameters. Each is written once, with type, default, range and docstring, by a function of `engine.parameters`,
    and `parameters_of` reads it for the form, the command line, the record, the figure and the hints.
    """

    family: ClassVar[str]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    uses: ClassVar[frozenset[Use]] = frozenset()
    """The inputs that it reads; forms show these only."""
    needs: ClassVar[frozenset[Use]] = frozenset()
    """The inputs that it cannot run without: a run without them is refused before it begins."""
    knows: ClassVar[Knowledge] = "gradients"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({})
    """Units of its steps' readings by name; a reading without an entry has no unit."""

    @abstractmethod
    def iterate(self, problem: Problem) -> Iterator[Step]:
        """Run the loop of the paper. A step takes at most 0.1 s, or one row where a row takes longer.

        This method is not named ``steps``: that is a parameter of most attacks.
        """

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return further results, such as maps and curves, given the step that is kept."""
        return {}


class JoinsChunks(ABC):
    """Mixin for attacks whose artifacts can be made from a batch attacked in chunks."""

    @abstractmethod
    def joined(self, lasts: Sequence[AttackStep]) -> AttackStep:
        """Join the last steps of all chunks, in their order, into one of all rows."""


class Attack(Operation, ABC):
    """An operation that changes images so that the classifier errs."""

    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask"})
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "loss"
    """The step that is kept per image: the successful one of largest loss, or of smallest norm, or always the last one."""
    masked: ClassVar[bool] = True
    """Whether it leaves every pixel outside the mask unchanged."""
    averages: ClassVar[str] = ""
    """Name of what the reported loss is averaged over, such as ``transformations``; empty where it is of the images themselves."""
    raises: ClassVar[str] = "cross-entropy"
    """Name of the quantity that the ``loss`` of its steps reports, of attacks without a field ``loss``; see `engine.loss_names`."""
    norms: ClassVar[tuple[Norm, ...]] = ()
    """The norms that it bounds or minimises; the catalogue can be sorted by them."""
    by_rows: ClassVar[bool] = True
    """Whether each image is attacked independently of the others, so that a large batch can be attacked in chunks."""
    follows_objective: ClassVar[bool] = False
    """Whether it also maximises the problem's ``objective``. An attack that does not refuses one."""
    from_image: ClassVar[bool] = True
    """Whether it perturbs the clean image. False: images are grown from noise, and norms of the difference mean nothing."""
    max_queries: int | None = limit(None, ge=1, unit="rows", none="no limit", title="query limit")
    """Limit of forward rows through the model, for each image, after which the attack ends with its best so far. Images that are attacked
    together share one limit, so that one may use queries that another leaves; an attack that learns from all images has one for the whole
    run. None: no limit.
    """

    def ball(self) -> Ball | None:
        """Return the ball that contains the perturbation, or None where the attack has none."""
        return None

    @property
    def takes_radii(self) -> bool:
        """Whether every row may have a radius of its own: the problem's ``radii`` instead of ``eps``."""
        return False

    def rows_together(self, images: Tensor) -> int | None:
        """Return the largest number of images in a chunk that keeps a step within its time. None: as many as memory allows."""
        return None

    def distance(self, perturbation: Tensor) -> Tensor:
        """Return the norm ``(N,)`` by which the smallest iterate is kept: that of the field ``norm``, or else L2."""
        return BALLS[getattr(self, "norm", "l2")](1.0).size(perturbation)

    @classmethod
    def access(cls) -> Access:
        """Return the attacker's access to the model: gradients, scores or labels, the first division of the catalogue."""
        return _ACCESS[cls.knows]

    @abstractmethod
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Run the loop of the paper, with one `AttackStep` per iterate, the starting point included."""
