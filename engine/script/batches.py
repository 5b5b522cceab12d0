"""A recorded batch as a script: one attack on many images, and behind a defense both attackers."""

from __future__ import annotations

from pathlib import Path

from engine.data import parse_name
from engine.defenses.preprocessing import read, words
from engine.errors import GibbonError
from engine.record import BatchRecord
from engine.record.batches import FileEntry, RowEntry, SetEntry
from engine.result import Reason
from engine.script import sections
from engine.script.literals import call, literal, wrapped_call

_IMPORTS = {"from engine import attacks", "from engine.evaluate.batch import attack_images"}


def batch_as_python(record: BatchRecord, folder: Path | str = ".") -> str:
    """Return a script that attacks the images of a record again and says for how many every bit is the recorded one.

    Behind a defense it does so for the attacker who knows it, and for the one who does not.

    Parameters
    ----------
    record
        The record of the batch.
    folder
        The folder to which the record's paths are relative. The script names files by their absolute paths.

    Raises
    ------
    GibbonError
        No script can run it: the model was not read from a file, or the record holds no image.
    """
    if not record.rows:
        raise GibbonError("The table has no rows, so there is nothing to run again. Attack some images first.")
    folder = Path(folder).resolve()
    imports, body = set(_IMPORTS), []

    def used(part: tuple[str, set[str]]) -> str:
        imports.update(part[1])
        return part[0]

    classifier = sections.classifier_call(record.model, folder, record.device)
    body += [f"classifier = {classifier}", f"attack = {sections.attack_call(record.operation, folder)}"]
    body.append(f"subjects = {used(_subjects(record, folder))}")
    stickers = [used(sections.sticker_call(entry.sticker(), with_content=True)) for entry in record.stickers]
    given = {"seed": literal(record.seed), "aim": literal(record.aim), "together": literal(record.together)}
    if record.data is not None:
        given["data"] = sections.data_call(record.data)
    if record.start is not None:
        given["start"] = used(sections.packed_call(record.start))
    if record.mask is not None:
        given["mask"] = used(sections.mask_call(record.mask, folder, "classifier"))
    if stickers:
        given |= {"stickers": f"({', '.join(stickers)},)", "region": literal(record.region)}
    if record.defense:
        given["defense"] = literal(words(read(list(record.defense))))
    body += [
        f"run = {wrapped_call('attack_images', attack='attack', classifier='classifier', subjects='subjects', **given)}",
        *_loop(record),
    ]
    body += _comparison("results", record.rows, "")
    if record.unaware is not None:
        body += _comparison("results.unaware", record.unaware.rows, ", by an attacker who does not know the defense")
    return "\n".join([*_head(record, imports), *body, ""])


def _head(record: BatchRecord, imports: set[str]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    title = f"{sections.attack_title(record.operation)} on {len(record.rows)} images, on the model {record.model.name}, run again."
    head = f"{title}\n\nRecorded with {versions}.".replace("\\", "\\\\").replace('"', '\\"')
    setting = [call("torch.set_num_threads", literal(record.threads)), "torch.backends.cudnn.deterministic = True", ""]
    return [f'"""{head}\n"""', "", "import torch", "", "import engine", *sorted(imports), "", *setting]


def _subjects(record: BatchRecord, folder: Path) -> tuple[str, set[str]]:
    """Return the expression of the images, and its imports."""
    entry = record.images
    if isinstance(entry, SetEntry):
        return _of_set(entry), {"from engine.evaluate.batch import from_data"}
    return _of_files(entry, folder), {"from engine.evaluate.batch import from_files"}


def _of_set(entry: SetEntry) -> str:
    name, split = parse_name(entry.name)
    given = {"count": literal(entry.count), "seed": literal(entry.seed), "classes": literal(entry.classes), "draw": literal(entry.draw)}
    splits = [] if split is None else [literal(split)]
    return call("from_data", call("engine.data.load", literal(name), *splits, **given), "classifier")


def _of_files(entry: tuple[FileEntry, ...], folder: Path) -> str:
    paths = [str((folder / file.path).resolve()) for file in entry]
    return f"{call('from_files', literal(paths), 'classifier')}.{call('labelled', literal([file.label for file in entry]))}"


def _loop(record: BatchRecord) -> list[str]:
    """Return the lines that pull the run: one that was cancelled as far as the record has rows."""
    if record.reason == Reason.FINISHED:
        return ["for _ in run:", "    pass", "results = run.result()"]
    enough = f"len(run.rows) >= {len(record.rows)}"
    if record.unaware is not None:
        enough += f" and len(run.result().unaware.rows) >= {len(record.unaware.rows)}"
    return [
        "for _ in run:",
        f"    if {enough}:  # the recorded one was cancelled",
        "        break",
        "run.close()",
        "results = run.result()",
    ]


def _comparison(results: str, rows: tuple[RowEntry, ...], who: str) -> list[str]:
    """Return the lines that print the outcome and for how many images the bits are the recorded ones."""
    bits = "".join(f"    {literal(row.sha256)},\n" for row in rows)
    return [
        "",
        f"bits = [\n{bits}]",
        f'print(*{results}.summary.sentences(), sep="\\n")',
        f"same = sum(row.sha256 == recorded for row, recorded in zip({results}.rows, bits))",
        f'print(f"the recorded bits: {{same}} of {{len(bits)}} images{who}")',
    ]
