"""TableRun: a table in progress, pulled step by step. A cell that fails is a cell with a sentence, not the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.bits import Bits
from engine.defenses.training.sharing import Share, own_share
from engine.errors import GibbonError, in_words
from engine.evaluate.batch import ImageResults, ImageRow
from engine.evaluate.long_run import LongRun
from engine.evaluate.tables.cells import Cell, Verdicts
from engine.evaluate.tables.crafting import Crafted, craft
from engine.evaluate.tables.keeping import Keeper
from engine.evaluate.tables.plan import CellKey, Craft, columns_of, crafts_of, divided
from engine.evaluate.tables.posing import CellRun
from engine.evaluate.tables.results import TableResults
from engine.evaluate.tables.rows import as_row
from engine.evaluate.tables.spec import TableSpec
from engine.evaluate.tables.stock import Prepared, Stock, prepared
from engine.operation import Step


@dataclass(frozen=True, eq=False)
class TableStep(Step):
    """A step of one of the attacks, or the evaluation of its images by one model; ``index`` is the number of finished cells."""

    seconds_left: float | None = None
    """Estimated time to the end, by the work that this run has done; None: nothing is done yet."""


class TableRun(LongRun[TableStep]):
    """A table in progress, pulled step by step like `engine.Run`. ``cells`` may be read in any thread.

    Parameters
    ----------
    spec
        The specification.
    stock
        Its models and data sets.
    folder
        Where finished cells and images are kept; None: in memory.
    resume
        Whether to use the cells that are kept there, after checking that everything they depend on is the same.
    renew
        Whether a kept cell that belongs to other settings is computed again. Otherwise it ends the run with the difference in words.
    share
        The place of this process among those that compute the table together; None: as ``torch.distributed`` says.
    """

    def __init__(
        self,
        spec: TableSpec,
        stock: Stock,
        folder: Path | None = None,
        *,
        resume: bool = False,
        renew: bool = False,
        share: Share | None = None,
    ) -> None:
        self.spec, self._stock, self._share = spec, stock, share or own_share()
        self._plan = crafts_of(spec)
        self._craft_of = {key: each for each in self._plan for key in each.cells}
        self._keeper = None if folder is None else Keeper(folder)
        self._resume, self._renew = resume, renew
        self._refuse_kept()
        self._threads = torch.get_num_threads()
        self._room = spec.keep_megabytes * 1e6 / self._share.size
        self._in_memory: dict[str, Tensor] = {}
        self._lock = threading.Lock()
        self._cells: dict[CellKey, Cell] = {}
        self._known: set[CellKey] = set()
        """The cells that were kept by one process or another."""
        self._work, self._done = 1.0, 0.0
        self._before = 0.0
        """Seconds that passed before the first attack, for data and kept cells."""
        super().__init__()

    def _refuse_kept(self) -> None:
        if self._keeper is None or self._resume:
            return
        kept = sum(self._keeper.has(key) for key in self._craft_of)
        if kept:
            cells = "is 1 finished cell" if kept == 1 else f"are {kept:,} finished cells"
            raise GibbonError(f"In “{self._keeper.folder}” there {cells} of this table. Resume it, or give another folder.")

    @property
    def cells(self) -> dict[CellKey, Cell]:
        """The cells that are finished so far."""
        with self._lock:
            return dict(self._cells)

    def adopt(self, cells: Sequence[Cell]) -> None:
        """Take finished cells of an earlier run over, without asking whether what they depend on is the same.

        Raises
        ------
        GibbonError
            A cell has no place in this table.
        """
        for cell in cells:
            if cell.key not in self._craft_of:
                raise GibbonError(f"the table has no cell of “{cell.key.model}” under “{cell.key.attack}”, {cell.key.place}")
            self._add(cell)

    def result(self) -> TableResults:
        """Return the table with the cells that are finished; valid at any time."""
        notes = tuple(dict.fromkeys(note for data in self._stock.loaded for note in data.notes))
        columns = columns_of(self.spec)
        shapes = {entry.name: data.shape for entry in self.spec.data if (data := self._stock.found(entry)) is not None}
        return TableResults(self.spec, columns, self.cells, self.reason, self.seconds, self._threads, self._stock.devices, notes, shapes)

    # ------------------------------------------------------------------ the loop

    def _iterate(self) -> Generator[TableStep, None, None]:
        yield self._step("")
        if self._resume and self._keeper is not None:
            yield from self._kept(self._keeper)
        # Every process has looked into the folder before one writes to it; hosts that share no folder have kept different cells.
        self._known = {key for keys in self._share.all_of(list(self._cells)) for key in keys}
        left = [each for each in self._plan if any(key not in self._known for key in each.cells)]
        mine = divided(left, self._share.size)[self._share.rank]
        self._work, self._before = sum(each.work for each in mine) or 1.0, self.seconds
        for each in mine:
            before = self._done
            yield from self._crafted(each)
            self._done = before + each.work
        self._gather()
        yield self._step("")

    def _kept(self, keeper: Keeper) -> Iterator[TableStep]:
        """Load the kept cells, each after checking that it belongs to this table."""
        for each in self._plan:
            if any(keeper.has(key) for key in each.cells):
                yield from self._loading(each)
                ready = prepared(self._stock, each)
                for key, judge in zip(each.cells, ready.judges, strict=True):
                    if keeper.has(key) and ready.bench is not None and not isinstance(judge, GibbonError):
                        self._load_kept(keeper, key, self._stock.facts(each, ready.bench, judge))
                yield self._step("checking kept cells")

    def _load_kept(self, keeper: Keeper, key: CellKey, facts: dict[str, Any]) -> None:
        try:
            self._add(keeper.load(key, facts))
        except GibbonError:
            if not self._renew:
                raise
            keeper.forget(key)

    def _loading(self, each: Craft) -> Iterator[TableStep]:
        bits: Bits[None] = self._stock.loading(each.data)
        for done, of in bits:
            yield self._step(f"loading {each.data.name}, {done:,} of {of:,}")

    def _crafted(self, each: Craft) -> Iterator[TableStep]:
        """Run one attack, and finish its cells: with verdicts, or with the sentence that says why there are none."""
        news = f"{each.variant.label} on “{each.maker.title}”, {each.data.name}"
        yield self._step(news)
        yield from self._loading(each)
        ready = prepared(self._stock, each)
        wanted = [place for place, key in enumerate(each.cells) if key not in self._known]
        judges = {place: judge for place in wanted if not isinstance(judge := ready.judges[place], GibbonError)}
        for place in wanted:
            if isinstance(error := ready.judges[place], GibbonError):
                self._add(Cell(each.cells[place], {}, error=str(error)))
        if ready.bench is None or not judges:
            return
        began, done, attacking = time.perf_counter(), self._done, craft(ready.bench, list(judges.values()))
        try:
            while True:
                try:
                    share, images = next(attacking)
                except StopIteration as end:
                    made: Crafted = end.value
                    break
                self._done = done + share * each.work
                yield self._step(f"{news}: {images:,} of {len(ready.bench.images):,} images")
        except Exception as error:
            sentence = in_words(error, each.variant.attack.title, "Try other parameters.")
            for place in judges:
                self._add(Cell(each.cells[place], {}, error=sentence))
            return
        finally:
            attacking.close()
        self._finish(ready, judges, made, time.perf_counter() - began)

    def _finish(self, ready: Prepared, judges: dict[int, Any], made: Crafted, seconds: float) -> None:
        each, data = ready.craft, self._stock.data(ready.craft.data)
        if not all(isinstance(verdicts, GibbonError) for verdicts in made.verdicts):
            self._keep_images(each, made.adversarial)
        for (place, judge), verdicts in zip(judges.items(), made.verdicts, strict=True):
            key = each.cells[place]
            if isinstance(verdicts, GibbonError):
                self._add(Cell(key, {}, error=str(verdicts)))
                continue
            assert ready.bench is not None
            facts = self._stock.facts(each, ready.bench, judge)
            names = judge.classifier.labels
            cell = Cell(key, facts, verdicts, class_names=names, digests=made.digests, places=data.places, seconds=seconds)
            if self._keeper is not None:
                self._keeper.save(cell)
            self._add(cell)

    def _add(self, cell: Cell) -> None:
        with self._lock:
            self._cells[cell.key] = replace(cell, _run=self._run, _image=self._image, _row=self._row)

    def _step(self, news: str) -> TableStep:
        share = min(1.0, self._done / self._work)
        left = None if share <= 0 else (self.seconds - self._before) * (1 - share) / share
        return TableStep(len(self._cells), len(self._craft_of), news=news, share_done=share, seconds_left=left)

    def _gather(self) -> None:
        """Give every process the cells of all."""
        for plain in self._share.all_of([_plain(cell) for cell in self._cells.values()]):
            for cell in plain:
                if cell["key"] not in self._cells:
                    self._add(_unpacked(cell))

    # ------------------------------------------------------------------ images

    def _keep_images(self, each: Craft, adversarial: Tensor) -> None:
        if adversarial.nbytes > self._room:
            return
        self._room -= adversarial.nbytes
        if self._keeper is None:
            self._in_memory[each.file] = adversarial
        else:
            self._keeper.save_images(each, adversarial)

    def _image(self, cell: Cell, index: int) -> Tensor | None:
        each = self._craft_of[cell.key]
        if self._keeper is not None:
            return self._keeper.image(each, index)
        kept = self._in_memory.get(each.file)
        return None if kept is None else kept[index]

    def _run(self, cell: Cell, index: int) -> CellRun:
        bench = self._stock.bench(self._craft_of[cell.key])
        rows = next(rows for rows in bench.batches() if rows.start <= index < rows.stop)
        return CellRun(bench.posed(rows), index - rows.start, index)

    def _row(self, cell: Cell, index: int) -> tuple[ImageResults, ImageRow]:
        craft = self._craft_of[cell.key]
        return as_row(self._stock.bench(craft), self._stock.data(craft.data), cell, index, self.spec.seed)


def _plain(cell: Cell) -> dict[str, Any]:
    """Return a cell as plain values, for other processes."""
    names = ("key", "facts", "error", "class_names", "digests", "places", "seconds")
    verdicts = None if cell.verdicts is None else {name: value for name, value in vars(cell.verdicts).items() if name in _FIELDS}
    return {**{name: getattr(cell, name) for name in names}, "verdicts": verdicts}


_FIELDS: Sequence[str] = tuple(Verdicts.__dataclass_fields__)


def _unpacked(plain: dict[str, Any]) -> Cell:
    verdicts = plain.pop("verdicts")
    return Cell(**plain, verdicts=None if verdicts is None else Verdicts(**verdicts))
