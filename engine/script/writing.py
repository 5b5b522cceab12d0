"""Writing of a script: recorded runs one after the other, with one classifier and one image for all that share them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.attacks import CATALOGUE
from engine.errors import GibbonError
from engine.figures.words import CLEAN_IMAGE, attacked_image
from engine.files import replacing
from engine.record.schema import Record
from engine.script import runs, sections
from engine.script.figures import figure_lines
from engine.script.literals import call, literal


@dataclass(frozen=True)
class Recorded:
    """A record and the folder to which its paths are relative."""

    record: Record
    folder: Path = Path()


@dataclass(frozen=True)
class Held:
    """An image that a script takes from the file of a study."""

    study: str
    """The expression that reads the study, which becomes the variable ``kept``."""
    image: str
    """The expression of the image, in which the study is ``kept``."""
    imports: frozenset[str]


def as_python(record: Record, folder: Path | str = ".") -> str:
    """Return a script that runs a recorded attack again and says whether the image is the recorded one, bit for bit.

    The record of a figure also draws the figure again, as ``figure.pdf``.

    Parameters
    ----------
    record
        The record of the attack.
    folder
        The folder to which the record's paths are relative. The script names files by their absolute paths.

    Raises
    ------
    GibbonError
        No script can run it: the model was not read from a file, or the attack followed a further objective.
    """
    return runs_as_python([Recorded(record, Path(folder))])


def runs_as_python(recorded: Sequence[Recorded], title: str = "") -> str:
    """Return one script for several recorded attacks, in their order; see `as_python`. ``title`` is its first line.

    Raises
    ------
    GibbonError
        There is no record, or no script can run one of them.
    """
    if not recorded:
        raise GibbonError("There is no run to write a script of. Run an attack first.")
    script = Script()
    for each in recorded:
        script.add(each)
    return script.text(title or _title(recorded))


def write_script(path: Path | str, text: str) -> Path:
    """Write a script; ``.py`` is added where the path has no suffix.

    Raises
    ------
    GibbonError
        The path has another suffix, or cannot be written to.
    """
    path = Path(path).expanduser()
    path = path if path.suffix else path.with_suffix(".py")
    if path.suffix != ".py":
        raise GibbonError(f"A script's name ends in .py, but “{path.name}” does not. Name it {path.stem}.py.")
    with replacing(path) as staged:
        staged.write_text(text, encoding="utf-8")
    return path


def _title(recorded: Sequence[Recorded]) -> str:
    if len(recorded) > 1:
        return f"{len(recorded)} recorded attacks, run again."
    record = recorded[0].record
    return f"{sections.attack_title(record.operation)} on the model {record.model.name}, run again."


class Script:
    """The lines of a script. Equal expressions are evaluated once and share a variable."""

    def __init__(self) -> None:
        self.runs = 0
        """The number of runs in the script."""
        self._imports = {"from engine import attacks"}
        self._body: list[str] = []
        self._variables: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._threads: int | None = None
        self._versions: list[str] = []

    def add(self, recorded: Recorded, title: str = "", held: Held | None = None) -> None:
        """Add the lines of one run, below its title; ``held`` is its image, where that is in a study.

        Raises
        ------
        GibbonError
            No script can run it; nothing was added.
        """
        kept = copy.deepcopy(vars(self))
        try:
            self._add(recorded.record, recorded.folder.resolve(), title, held)
        except GibbonError:
            vars(self).update(kept)
            raise
        self.runs += 1

    def remark(self, sentence: str) -> None:
        """Add a sentence as a comment of the script."""
        self._body += ["", f"# {' '.join(sentence.split())}"]

    def _add(self, record: Record, folder: Path, title: str, held: Held | None) -> None:
        if record.objective is not None:
            raise GibbonError(
                f"The attack followed a further objective, “{record.objective}”, which a record does not hold. Write this script by hand."
            )
        self._note_versions(record)
        if self._body:
            self._body.append("")
        if title:
            self._body.append(f"# {' '.join(title.split())}")
        if record.threads != self._threads:
            self._threads = record.threads
            self._body += [call("torch.set_num_threads", literal(record.threads)), *self._deterministic(), ""]
        classifier = self._shared("classifier", sections.classifier_call(record.model, folder, record.device))
        image = self._shared("image", self._image(record, folder, classifier, held))
        self._body.append("")
        result = self._run(record, folder, classifier, *self._composed(record, folder, classifier, image))
        if record.figure is not None:
            self._body.append("")
            stickers = [entry.sticker() for entry in record.stickers]
            attacked = attacked_image(CATALOGUE[record.operation.slug].uses, stickers)
            self._append(figure_lines(record.figure, result, "" if attacked == CLEAN_IMAGE else image, attacked))

    def text(self, title: str) -> str:
        """Return the whole script below its title, ready to run."""
        versions = f"Recorded with {'; '.join(self._versions)}." if self._versions else ""
        head = "\n\n".join(filter(None, (title, versions))).replace("\\", "\\\\").replace('"', '\\"')
        return "\n".join([f'"""{head}\n"""', "", *self._sorted_imports(), "", *self._body, ""])

    # ------------------------------------------------------------------ parts

    def _deterministic(self) -> list[str]:
        return ["torch.backends.cudnn.deterministic = True"] if "torch.backends.cudnn.deterministic = True" not in self._body else []

    def _image(self, record: Record, folder: Path, classifier: str, held: Held | None) -> str:
        """Return the expression of the clean image."""
        if held is None:
            return self._with_imports(sections.image_call(record.image, folder, classifier))
        self._imports |= held.imports
        self._shared("kept", held.study)
        return held.image

    def _composed(self, record: Record, folder: Path, classifier: str, image: str) -> tuple[str, dict[str, str]]:
        """Return the expression of the attacked image and those of the mask and the start."""
        named: dict[str, str] = {}
        attacked, variable, composed, begins_there = image, "", None, False
        if record.stickers:
            composed = sections.composition_of(record)
            begins_there = sections.same_start(record.start, composed)
            seen = begins_there or any(entry.content == "shadow" for entry in record.stickers)  # a shadow shows the content below it
            made = [self._with_imports(sections.sticker_call(entry.sticker(), with_content=seen)) for entry in record.stickers]
            stickers = self._shared("stickers", "[\n" + "".join(f"    {each},\n" for each in made) + "]")
            self._imports.add("from engine.stickers import compose")
            variable = self._shared("composition", call("compose", image, stickers))
            attacked = f"{variable}.base"
        if record.mask is not None:
            if sections.same_mask(record.mask, composed):
                named["mask"] = f"{variable}.mask"
            else:
                named["mask"] = self._shared("mask", self._with_imports(sections.mask_call(record.mask, folder, classifier)))
        if begins_there:
            named["start"] = f"{variable}.content[None]"
        elif record.start is not None:
            named["start"] = self._shared("start", self._with_imports(sections.packed_call(record.start))) + "[None]"
        return attacked, named

    def _run(self, record: Record, folder: Path, classifier: str, attacked: str, named: dict[str, str]) -> str:
        """Add the lines that run the attack, and return the variable of its result."""
        if record.data is not None:
            named["data"] = self._shared("data", sections.data_call(record.data))
        self._body.append(runs.heading(record))
        attack = self._shared("attack", sections.attack_call(record.operation, folder))
        result = self._new("result")
        self._append(runs.run_lines(record, result, attack, classifier, f"{attacked}[None]", **named, **runs.inputs_of(record)))
        self._append(runs.comparison(record, result))
        return result

    def _append(self, part: tuple[list[str], set[str]]) -> None:
        lines, imports = part
        self._imports |= imports
        self._body += lines

    # ------------------------------------------------------------------ variables and imports

    def _shared(self, name: str, expression: str) -> str:
        """Return the variable that holds the expression, with the line that sets it where it is new."""
        if expression not in self._variables:
            self._variables[expression] = self._new(name)
            self._body.append(f"{self._variables[expression]} = {expression}")
        return self._variables[expression]

    def _new(self, name: str) -> str:
        """Return a new variable: ``result``, then ``result_2`` and so on."""
        self._counts[name] = count = self._counts.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"

    def _with_imports(self, part: tuple[str, set[str]]) -> str:
        text, imports = part
        self._imports |= imports
        return text

    def _sorted_imports(self) -> list[str]:
        """Return the import lines, with one line for each module."""
        names: dict[str, list[str]] = {}
        for line in self._imports:
            module, _, name = line.removeprefix("from ").partition(" import ")
            names.setdefault(module, []).append(name)
        froms = [f"from {module} import {', '.join(sorted(found))}" for module, found in sorted(names.items())]
        return ["import torch", "", "import engine", *froms]

    def _note_versions(self, record: Record) -> None:
        versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
        where = f"{versions} on {record.device_name or record.device}"
        if where not in self._versions:
            self._versions.append(where)
