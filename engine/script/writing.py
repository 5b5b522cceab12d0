"""Writing of a script: recorded runs one after the other, with one classifier and one image for all that share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import GibbonError
from engine.files import replacing
from engine.record.schema import Record
from engine.result import Reason
from engine.script import sections
from engine.script.literals import call, literal


@dataclass(frozen=True)
class Recorded:
    """A record and the folder to which its paths are relative."""

    record: Record
    folder: Path = Path()


def as_python(record: Record, folder: Path | str = ".") -> str:
    """Return a script that runs a recorded attack again and says whether the image is the recorded one, bit for bit.

    Parameters
    ----------
    record
        The record of the attack.
    folder
        The folder to which the record's paths are relative. The script names files by their absolute paths.

    Raises
    ------
    GibbonError
        No script can run it: the model was made by hand, or the attack followed a further objective.
    """
    return runs_as_python([Recorded(record, Path(folder))])


def runs_as_python(runs: Sequence[Recorded], title: str = "") -> str:
    """Return one script for several recorded attacks, in their order; see `as_python`. ``title`` is its first line.

    Raises
    ------
    GibbonError
        There is no record, or no script can run one of them.
    """
    if not runs:
        raise GibbonError("There is no run to write a script of. Run an attack first.")
    script = _Script()
    for run in runs:
        script.add(run.record, run.folder.resolve())
    return script.text(title or _title(runs))


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


def _title(runs: Sequence[Recorded]) -> str:
    if len(runs) > 1:
        return f"{len(runs)} recorded attacks, run again."
    return f"{sections.attack_title(runs[0].record.operation)} on the model {runs[0].record.model.name}, run again."


class _Script:
    """The lines of a script. Equal expressions are evaluated once and share a variable."""

    def __init__(self) -> None:
        self._imports = {"from engine import attacks"}
        self._body: list[str] = []
        self._variables: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._threads: int | None = None
        self._versions: list[str] = []

    def add(self, record: Record, folder: Path) -> None:
        """Add the lines of one run."""
        if record.objective is not None:
            raise GibbonError(
                f"The attack followed a further objective, “{record.objective}”, which a record does not hold. Write this script by hand."
            )
        self._note_versions(record)
        if self._body:
            self._body.append("")
        if record.threads != self._threads:
            self._threads = record.threads
            self._body += [call("torch.set_num_threads", literal(record.threads)), *self._deterministic(), ""]
        classifier = self._shared("classifier", sections.classifier_call(record.model, folder, record.device))
        image = self._shared("image", self._with_imports(sections.image_call(record.image, folder, classifier)))
        self._body.append("")
        self._run(record, folder, classifier, *self._composed(record, folder, classifier, image))

    def text(self, title: str) -> str:
        """Return the whole script."""
        versions = f"Recorded with {'; '.join(self._versions)}." if self._versions else ""
        head = [f'"""{title}', *(["", versions] if versions else []), '"""'] if versions else [f'"""{title}"""']
        return "\n".join([*head, "", *self._sorted_imports(), "", *self._body, ""])

    # ------------------------------------------------------------------ parts

    def _deterministic(self) -> list[str]:
        return ["torch.backends.cudnn.deterministic = True"] if "torch.backends.cudnn.deterministic = True" not in self._body else []

    def _composed(self, record: Record, folder: Path, classifier: str, image: str) -> tuple[str, dict[str, str]]:
        """Return the expression of the attacked image and those of the mask and the start."""
        named: dict[str, str] = {}
        attacked, variable, composed, begins_there = image, "", None, False
        if record.stickers:
            composed = sections.composition_of(record)
            begins_there = sections.same_start(record.start, composed)
            made = [self._with_imports(sections.sticker_call(entry.sticker(), with_content=begins_there)) for entry in record.stickers]
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

    def _run(self, record: Record, folder: Path, classifier: str, attacked: str, named: dict[str, str]) -> None:
        label = f"torch.tensor([{record.label.index}])"
        named = {"labels": label, **named}
        if record.label.assumed:
            named["labels_assumed"] = "True"
        if record.target is not None:
            named["targets"] = f"torch.tensor([{record.target.index}])"
        if record.data is not None:
            named["data"] = self._shared("data", sections.data_call(record.data))
        named["seed"] = literal(record.seed)
        if record.row:
            named["first_row"] = literal(record.row)
        self._body.append(f"# label: {record.label.name}{_assumed(record)}{_aim(record)}")
        attack = self._shared("attack", sections.attack_call(record.operation, folder))
        result = self._new("result")
        arguments = (attack, classifier, f"{attacked}[None]")
        if record.iteration is not None:
            self._imports.add("from engine.iterate import at_step")
            self._body += [
                f"with {call('engine.start', *arguments, **named, record='engine.Timeline(max_bytes=0)')} as run:",
                "    for step in run:  # the recorded image is an iterate, not the best one",
                f"        if step.index == {record.iteration}:",
                "            break",
                f"    {result} = at_step(run.result(), run.record.steps[-1])",
            ]
        elif record.outcome.reason == Reason.CANCELLED:
            self._body += [
                f"with {call('engine.start', *arguments, **named)} as run:",
                "    for made, _ in enumerate(run):  # it was cancelled: the same number of steps",
                f"        if made >= {record.outcome.steps_made}:",
                "            break",
                f"{result} = run.result()",
            ]
        else:
            self._body.append(f"{result} = {call('engine.run', *arguments, **named)}")
        self._imports.add("from engine.record import digest")
        self._body += [
            f"print({result})",
            f'print("the recorded bits:", digest({result}.adversarial[0]) == {literal(record.outcome.adversarial_sha256)})',
        ]

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


def _assumed(record: Record) -> str:
    return " (assumed: the model's own prediction)" if record.label.assumed else ""


def _aim(record: Record) -> str:
    return "" if record.target is None else f"; target: {record.target.name}"
