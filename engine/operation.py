"""Operation: a frozen set of parameters whose one method is the paper's loop, as a generator of frozen steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from torch import Tensor

from engine.artifacts import Artifact, Unit
from engine.balls import BALLS, Ball, Norm
from engine.classifier import Classifier
from engine.docstrings import field_docstrings
from engine.errors import GibbonError
from engine.parameters import Preset, limit, parameters_of
from engine.randomness import RowRandom
from engine.ranking import reached
from engine.refusals import bad_parameters
from engine.views import Knowledge, View

if TYPE_CHECKING:
    from engine.data import DataSet
    from engine.stickers import Sticker

Use = Literal["labels", "targets", "mask", "data", "start", "models", "stickers"]
Access = Literal["white box", "scores only", "labels only", "transfer"]
_ACCESS: dict[Knowledge, Access] = {"gradients": "white box", "scores": "scores only", "labels": "labels only"}


@dataclass(frozen=True)
class Step:
    """One step of an operation: frozen, and nothing that it holds changes after it was yielded."""

    index: int
    """From 0."""
    total: int | None
    """The last index, where it is known."""
    readings: Mapping[str, Tensor] = field(default_factory=dict, kw_only=True)
    """Named scalars worth watching, such as a fooling rate: tensors of no dimension, still on the device."""
    news: str = field(default="", kw_only=True)
    """What is being done, in words, where there is more to say than the step's number."""
    share_done: float | None = field(default=None, kw_only=True)
    """How much of the whole is done, from 0 to 1, where that is known better than by ``index`` and ``total``."""


@dataclass(frozen=True, eq=False)
class AttackStep(Step):
    """One step of an attack, on the device. Nothing here is ever written into afterwards."""

    adversarial: Tensor
    """``(N, C, H, W)`` in [0, 1]."""
    loss: Tensor
    """``(N,)``: what the attacker raises (for a target: minus the loss towards it)."""
    logits: Tensor | None = None
    """``(N, K)`` of ``adversarial``, where the attack has them anyway; None: the driver asks the classifier."""
    first_row: int = field(default=0, kw_only=True)
    """Where these rows begin in the images given: a large batch is attacked a part at a time."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """What the result should say of the run, a sentence each; the same one of several parts is said once."""
    goals: Tensor | None = field(default=None, kw_only=True)
    """``(N,)``: the classes that the attack goes towards, where it chose them itself, one for each image; the result tells them."""
    score: Tensor | None = None
    """``(N,)``: by which the driver keeps the best of the successful iterates (and of the others). None: as the attack ``keeps``."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What an operation is run on. Shapes, ranges and device have been checked."""

    classifier: View
    images: Tensor
    """``(N, C, H, W)`` in [0, 1]: the clean images."""
    labels: Tensor
    """``(N,)``."""
    random: RowRandom
    targets: Tensor | None = None
    """``(N,)``."""
    mask: Tensor | None = None
    """``(N or 1, 1, H, W)`` in [0, 1]."""
    start: Tensor | None = None
    """``(N, C, H, W)``: where to begin, for operations that use it."""
    data: DataSet | None = None
    models: Sequence[Classifier] = ()
    stickers: Sequence[Sticker] = ()
    objective: Callable[[Tensor], Tensor] | None = None
    """Images to ``(N,)``, added to what the attacker raises: for attackers who know a defense or a detector."""
    copies: int = 1
    """How many blocks of the same images these are, as `repeat` makes them."""
    scratch: dict[str, Any] = field(default_factory=dict)
    """Where a loop leaves what its `Operation.artifacts` needs and no frozen step may hold: a network in training. Of this run alone."""

    def compose(self, delta: Tensor) -> Tensor:
        """``clamp(images + mask * delta, 0, 1)``; where the mask is 0 the images' own bits."""
        changed = self.images + (delta if self.mask is None else self.mask * delta)
        return changed.clamp(0, 1)

    def select(self, rows: Tensor) -> Problem:
        """The problem of the images at ``rows`` (indices) alone: what goes on once the others are solved."""

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
            copies=1,
        )

    def succeeds(self, logits: Tensor) -> Tensor:
        """``(N,)`` bool: whether logits ``(N, K)`` are what the attacker wants; ``(..., N)`` of ``(..., N, K)``. NaN never is."""
        return self.reached(logits) & ~logits.isnan().any(-1)

    def reached(self, logits: Tensor) -> Tensor:
        """As ``succeeds``, for logits that are known to hold no NaN."""
        return reached(logits.argmax(-1), self.labels, self.targets)

    def repeat(self, times: int) -> Problem:
        """The same problem with every row ``times`` times, block after block: restarts as rows of one batch."""
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
            copies=times * self.copies,
        )


class Operation(BaseModel, ABC):
    """An attack, explanation, detection, training or evaluation: parameters plus steps.

    Its fields are the parameters. Each is written once, with type, default, range and docstring, by a function of `engine.parameters`,
    and `parameters_of` reads it for the form, the command line, the record, the figure and the hints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slug: ClassVar[str]
    """The name in the catalogue and on the command line."""
    title: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Further names that it is known by, and looked for."""
    family: ClassVar[str]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    uses: ClassVar[frozenset[Use]] = frozenset()
    """What of the problem it asks for; forms show these only."""
    needs: ClassVar[frozenset[Use]] = frozenset()
    """What of that it cannot do without: a run without it ends in a sentence before it begins."""
    knows: ClassVar[Knowledge] = "gradients"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({})
    """The units of its steps' readings by name; those that are not named are numbers of no unit."""
    presets: ClassVar[tuple[Preset, ...]] = ()
    """Published settings."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Give the fields the docstrings that stand under them, where they have no description."""
        for name, text in field_docstrings(cls).items():
            field = cls.model_fields.get(name)
            if field is not None and field.description is None:
                field.description = text

    if not TYPE_CHECKING:  # the type checker reads the fields' own signature

        def __init__(self, **parameters: Any) -> None:
            try:
                super().__init__(**parameters)
            except ValidationError as error:
                raise bad_parameters(error, type(self).title, list(type(self).model_fields)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _read_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Take numbers as people write them, in every field alike."""
        assert info.field_name is not None
        return parameters_of(cls)[info.field_name].read(value)

    @abstractmethod
    def iterate(self, problem: Problem) -> Iterator[Step]:
        """The loop of the paper. A step takes at most 0.1 s, or one row where a row takes longer.

        Not named ``steps``: that is a parameter of most attacks.
        """

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """What else came out, given the step that is kept."""
        return {}

    def named_files(self) -> dict[str, Path]:
        """The files that its fields name, by field. What is in them belongs to the parameters: a run keeps their hashes."""
        given = {name: getattr(self, name) for name, parameter in parameters_of(type(self)).items() if parameter.is_file}
        return {name: Path(value) for name, value in given.items() if value}

    @classmethod
    def preset(cls, title: str) -> Preset:
        """The preset of that title, or the only one whose title holds these words.

        Raises
        ------
        GibbonError
            There is none, or there are several.
        """
        found = [each for each in cls.presets if each.title == title]
        found = found or [each for each in cls.presets if title.casefold() in each.title.casefold()]
        if len(found) != 1:
            which = "several presets" if found else "no preset"
            there = "; ".join(each.title for each in found or cls.presets) or "none"
            raise GibbonError(f"“{cls.slug}” has {which} of the name “{title}”. There is: {there}.")
        return found[0]

    @classmethod
    def build(cls, **parameters: Any) -> Self:
        """The operation with these parameters, texts such as ``8/255`` included.

        Raises
        ------
        GibbonError
            A parameter is unknown or out of its range; the sentence names it.
        """
        return cls(**parameters)


class Attack(Operation, ABC):
    """An operation that changes images so that the classifier errs."""

    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask"})
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "loss"
    """Which step is kept per image: among the successful ones the largest loss, or the smallest norm, or always the last."""
    masked: ClassVar[bool] = True
    """Whether it leaves every pixel outside the mask as it is."""
    raises: ClassVar[str] = "loss"
    """What the ``loss`` of its steps is."""
    norms: ClassVar[tuple[Norm, ...]] = ()
    """The norms that it bounds or makes small; the catalogue can be sorted by them."""
    by_rows: ClassVar[bool] = True
    """Whether what happens to an image is independent of the others: then a large batch is attacked a part at a time."""
    transfers: ClassVar[bool] = False
    """Whether it attacks another model and tries the outcome on this one."""
    follows_objective: ClassVar[bool] = False
    """Whether it raises the problem's ``objective``, too. An objective given to one that does not is refused."""
    from_image: ClassVar[bool] = True
    """Whether what comes out is a change of the clean image. False: it is grown from noise, and norms of the difference mean nothing."""
    max_queries: int | None = limit(None, ge=1, unit="rows", none="no limit", title="query limit")
    """Rows through the model, for each image, after which the attack ends with its best so far. Images that are attacked together share
    theirs, so that one may use what another leaves; an attack that is learned from all images has so many for the whole run. None: no
    limit."""

    def ball(self) -> Ball | None:
        """The ball that the perturbation stays in, or None where there is none."""
        return None

    def rows_together(self, images: Tensor) -> int | None:
        """How many images a part may hold so that a step takes no longer than it may. None: as many as memory allows."""
        return None

    def joined(self, lasts: Sequence[AttackStep]) -> AttackStep | None:
        """The last steps of all parts as one, for the artifacts of a batch attacked a part at a time. None: there are none."""
        return None

    def distance(self, perturbation: Tensor) -> Tensor:
        """``(N,)``: the norm by which iterates compare where the smallest is kept; that of the field ``norm``, or else L2."""
        return BALLS[getattr(self, "norm", "l2")](1.0).size(perturbation)

    @classmethod
    def access(cls) -> Access:
        """What the attacker has of the model: the catalogue's first division."""
        return "transfer" if cls.transfers else _ACCESS[cls.knows]

    @abstractmethod
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """The loop of the paper, one `AttackStep` per iterate, the first being where it starts."""
