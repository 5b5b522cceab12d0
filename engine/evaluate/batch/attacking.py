"""ImageRun: one attack on many images, which yields rows as they come. An image that fails is a row with a sentence, not the end."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.defenses.preprocessing import defended, read
from engine.driver import Run, start
from engine.errors import GibbonError, in_words
from engine.evaluate.batch.aims import Aim, checked_aim, target_of
from engine.evaluate.batch.judged import judged_by
from engine.evaluate.batch.results import ImageResults
from engine.evaluate.batch.rows import ImageRow, row_of, thumbnail
from engine.evaluate.batch.subjects import Subject, Subjects
from engine.evaluate.inner_runs import share_of
from engine.evaluate.knowing import known_to_the_attacker
from engine.evaluate.long_run import LongRun
from engine.operation import Attack, Step
from engine.result import AttackResult
from engine.stickers import Sticker, compose
from engine.timeline import Timeline

if TYPE_CHECKING:
    from engine.data import DataSet

KEEP_BYTES = 256 * 2**20
"""Memory for the results of single images, as tensors."""
_SEEDS = 2**31
"""Seeds of images stay below this, so that every form takes them."""


@dataclass(frozen=True, eq=False)
class ImageStep(Step):
    """A step of one of the attacks; ``index`` is the number of images that are done."""


@dataclass(frozen=True, eq=False)
class Posed:
    """An image that is ready to be attacked."""

    number: int
    subject: Subject
    seed: int
    clean: Tensor
    """``(C, H, W)``: the image as cropped for the classifier, without stickers."""
    label: int | None
    target: int | None
    assumed: bool
    file_sha256: str

    @property
    def known(self) -> dict[str, Any]:
        """The fields of a row that are known before the attack."""
        return {"number": self.number, "name": self.subject.name, "seed": self.seed, "file_sha256": self.file_sha256}


class ImageRun(LongRun[ImageStep]):
    """An attack on many images in progress, pulled step by step like `engine.Run`. ``rows`` may be read in any thread."""

    def __init__(self, attack: Attack, classifier: Classifier, subjects: Subjects, inputs: dict[str, Any]) -> None:
        self.attack, self.classifier, self.subjects = attack, classifier, subjects
        self.seed, self.aim, self.together = inputs["seed"], inputs["aim"], inputs["together"]
        self._inputs = inputs
        self._threads = torch.get_num_threads()
        self._room: int = inputs["keep_bytes"]
        self._lock = threading.Lock()
        self._rows: list[ImageRow] = []
        self._unaware = self._other_attacker()
        super().__init__()

    def _other_attacker(self) -> ImageRun | None:
        """Return the run of the attacker who does not know the defense, whose images the defended model judges."""
        if not self._inputs["defense"]:
            return None
        inputs = {**self._inputs, "defense": (), "judge": self.classifier, "keep_bytes": 0}
        return ImageRun(self.attack, self._inputs["undefended"], self.subjects, inputs)

    @property
    def rows(self) -> tuple[ImageRow, ...]:
        """The rows so far, in the order of the images."""
        with self._lock:
            return tuple(self._rows)

    def result(self) -> ImageResults:
        """Return the rows so far; valid at any time."""
        other = self._unaware
        return ImageResults(
            self.attack,
            self.classifier,
            self.subjects,
            self.rows,
            self.seed,
            self.aim,
            self.together,
            self.reason,
            self.seconds,
            self._threads,
            self._inputs,
            None if other is None else replace(other.result(), reason=self.reason, seconds=self.seconds),
        )

    # ------------------------------------------------------------------ the loop

    def _iterate(self) -> Generator[ImageStep, None, None]:
        items = self.subjects.items
        for first in range(0, len(items), self.together):
            chunk = range(first, min(first + self.together, len(items)))
            yield from self._chunk(chunk)
            if self._unaware is not None:  # after each chunk, so that what is cancelled holds both attackers
                for step in self._unaware._chunk(chunk):
                    yield self._step(items[first].name, 0.0, step.share_done)
        yield self._step("", 0.0)

    def _chunk(self, chunk: range) -> Iterator[ImageStep]:
        """Attack the images of these numbers."""
        yield self._step(self.subjects.items[chunk[0]].name, 0.0)
        posed = []
        for number in chunk:
            ready = self.pose(number)
            if isinstance(ready, ImageRow):
                self._add(ready)
            else:
                posed.append(ready)
        for assumed in (False, True):  # an assumed label costs a query, so the two kinds have different budgets
            yield from self._attacked([one for one in posed if one.assumed is assumed])

    def _attacked(self, posed: list[Posed]) -> Iterator[ImageStep]:
        """Attack some images together; if that fails, each alone, so that only the images at fault lack a result."""
        if not posed:
            return
        try:
            with closing(self.begin(posed)) as run:
                for step in run:
                    yield self._step(posed[0].subject.name, share_of(step) * len(posed))
                result = run.result()
        except Exception as error:
            if len(posed) > 1:
                for one in posed:
                    yield from self._attacked([one])
            else:
                self._add(_failed(posed[0], in_words(error, self.attack.title, "Try other parameters.")))
            return
        assert isinstance(result, AttackResult)
        judge = self._inputs["judge"]
        if judge is not None:
            result = judged_by(result, judge)
        for index, one in enumerate(posed):
            self._add(row_of(result, index, assumed=one.assumed, **one.known))

    def _step(self, name: str, done: float, share_of_other: float | None = None) -> ImageStep:
        """Return a step; ``done`` counts the images in progress by the share of their attack that is done.

        With a defense an image is finished when both attackers are; ``share_of_other`` is the share that the second one has done.
        """
        finished, of = len(self._rows), len(self.subjects)
        share = min(1.0, (finished + done) / of)
        if self._unaware is not None:
            finished = len(self._unaware.rows)
            share = (share + (finished / of if share_of_other is None else share_of_other)) / 2
        news = f"image {min(finished + 1, of):,} of {of:,}" + (f": {name}" if name else "")
        return ImageStep(finished, of, news=news, share_done=share)

    def _add(self, row: ImageRow) -> None:
        """Add a row, with its images if there is room for them. Rows of one chunk may come out of order where some of them failed."""
        if row.nbytes > self._room:
            row = row.without_images()
        self._room -= row.nbytes
        with self._lock:
            self._rows.append(row)
            self._rows.sort(key=lambda each: each.number)

    def pose(self, number: int) -> Posed | ImageRow:
        """Open an image, and find its target; a row with a sentence where that fails."""
        subject = self.subjects.items[number]
        seed, clean = (self.seed + number) % _SEEDS, None
        try:
            photograph = subject.open()
            clean = photograph.crop_to(self.classifier)
            assumed = subject.label is None
            label = int(self._assuming.predict(clean[None])[0]) if subject.label is None else subject.label
            target = target_of(self.aim, self.classifier, clean, label, seed)
        except Exception as error:  # an image file may break its reader in any way
            picture = None if clean is None else thumbnail(clean)
            return ImageRow(number, subject.name, seed, self.classifier.labels, error=in_words(error, "Opening it"), picture=picture)
        return Posed(number, subject, seed, clean, label, target, assumed, photograph.sha256)

    @property
    def _assuming(self) -> Classifier:
        """The model whose prediction is an unknown label: the one without the defense, so that both attackers have the same."""
        undefended: Classifier | None = self._inputs["undefended"]
        return self.classifier if undefended is None else undefended

    def begin(self, posed: Sequence[Posed], record: Timeline | None = None) -> Run:
        """Start the attack as a run of a single image would be started, on one image or on several. ``record`` keeps its steps."""
        attack, inputs = self.attack, self._inputs
        stickers: tuple[Sticker, ...] = inputs["stickers"]
        paints = "stickers" in attack.uses
        masked = paints or (inputs["region"] == "stickers" and attack.masked)
        composed = [compose(one.clean, stickers) for one in posed]
        if masked and composed[0].mask is None:
            raise GibbonError("There is no sticker whose content is to be optimised. Draw one, and set its content to “optimised”.")
        base = torch.stack([each.base if paints else each.shown for each in composed])
        begin = composed[0].content if paints else inputs["start"]
        targets = [one.target for one in posed]
        return start(
            attack,
            self.classifier,
            base,
            labels=torch.tensor([one.label for one in posed]),
            labels_assumed=posed[0].assumed,
            targets=None if None in targets or "targets" not in attack.uses else torch.tensor(targets),
            mask=composed[0].mask if masked else inputs["mask"] if attack.masked else None,
            start=None if begin is None else begin[None].expand(len(posed), -1, -1, -1),
            data=inputs["data"],
            seed=posed[0].seed,
            seeds=None if len(posed) == 1 else [one.seed for one in posed],
            record=record,
        )


def _failed(one: Posed, error: str) -> ImageRow:
    return ImageRow(**one.known, error=error, picture=thumbnail(one.clean))


def attack_images(
    attack: Attack,
    classifier: Classifier,
    subjects: Subjects,
    *,
    seed: int = 0,
    aim: Aim = "away",
    together: int = 1,
    data: DataSet | None = None,
    start: Tensor | None = None,
    mask: Tensor | None = None,
    stickers: tuple[Sticker, ...] = (),
    region: Literal["image", "stickers"] = "image",
    defense: object = (),
    keep_bytes: int = KEEP_BYTES,
) -> ImageRun:
    """Start one attack on many images; each row is computed when the run is pulled.

    Image n is attacked with the seed ``(seed + n) % 2**31`` as the only image of its run, so that its row equals that run bit for bit.

    Parameters
    ----------
    attack
        The attack with its parameters.
    classifier
        The model under attack; every image is cropped and resized to its input.
    subjects
        The images: `from_data` or `from_files`.
    seed
        The seed of the first image.
    aim
        The target of each image; see `Aim`.
    together
        Images that are attacked in one batch: several are faster, but a network may round the last bit of a row otherwise than alone. An
        attack that learns from all of its images gets one at a time.
    data, start
        Further inputs, for attacks that use them; the same for every image.
    mask
        ``(1, H, W)``: the pixels that may change. None: everywhere.
    stickers, region
        Stickers on every image, and whether the attack may change the image or those stickers that are to be optimised.
    defense
        A preprocessing defense before ``classifier``, as `engine.defenses.preprocessing.read` reads it. Each image is then attacked by an
        attacker who knows it, through its adaptive gradient, and by one who does not: the rows are those of the first, ``unaware`` has
        those of the second. An unknown label is the prediction without the defense, for both.
    keep_bytes
        Memory for the results of single images; later rows are without theirs.

    Raises
    ------
    GibbonError
        There are no images, or an input is wrong for all of them.
    """
    if not len(subjects):
        raise GibbonError("There are no images to attack. Choose some.")
    if together < 1:
        raise GibbonError(f"together is {together}, but at least one image is attacked at a time.")
    steps = known_to_the_attacker(read(defense))
    chosen = checked_aim(aim if "targets" in attack.uses else "away", classifier)
    if "targets" in attack.needs and chosen == "away":
        raise GibbonError(f"{attack.title} works towards a class: choose an aim other than “away”.")
    inputs = {
        "seed": seed,
        "aim": chosen,
        "together": together if attack.by_rows else 1,
        "data": data if "data" in attack.uses else None,
        "start": start if "start" in attack.uses else None,
        "mask": mask,
        "stickers": stickers,
        "region": region,
        "defense": steps,
        "undefended": classifier if steps else None,
        "judge": None,
        "keep_bytes": keep_bytes,
    }
    return ImageRun(attack, defended(classifier, steps), subjects, inputs)
