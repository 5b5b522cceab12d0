"""A recorded training as a script that makes the same weights again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.defenses import Train
from engine.defenses.objectives import words
from engine.models import ARCHITECTURES
from engine.parameters import parameters_of
from engine.record import TrainingRecord
from engine.record.training_inputs import relocated
from engine.script.literals import call, literal, wrapped_call


def training_as_python(record: TrainingRecord, folder: Path | str = ".") -> str:
    """Return a script that trains a recorded network again and says whether its weights are the recorded ones, bit for bit.

    Parameters
    ----------
    record
        The record of the training.
    folder
        The folder to which the record's paths are relative. The script names files by their absolute paths.

    Raises
    ------
    GibbonError
        A part of the recipe is unknown here.
    """
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    head = f'"""The training of {record.name} ({record.recipe}), run again.\n\n'
    head += f"Recorded with {versions} on {record.device_name or record.device}.\n" + '"""\n'
    if record.processes > 1:
        head += f"\n# {record.processes} processes trained together; one alone adds in another order, so its last bits may differ.\n"
    lines = [
        head,
        "import torch",
        "",
        "import engine",
        "from engine import data, defenses, models",
        "",
        call("torch.set_num_threads", literal(record.threads)),
        "torch.backends.cudnn.deterministic = True",
        "",
        *_inputs(record, Path(folder)),
        f"training = {_training(record.train)}",
        "with engine.start(training, classifier, data=train, seed=" + literal(record.seed) + ") as run:",
        "    for step in run:",
        *_body(record),
        '    model = run.result().artifacts["model"]',
        "",
        f"same = defenses.weights_digest(model) == {literal(record.outcome.weights_sha256)}",
        'print("The same weights again, bit for bit." if same else "Other weights.")',
        "",
    ]
    return "\n".join(lines)


def _inputs(record: TrainingRecord, folder: Path) -> list[str]:
    """Return the lines that make the classifier and the images, in the order in which one needs the other."""
    source = relocated(record.source, lambda path: str((path if path.is_absolute() else folder / path).resolve()))
    device, code = literal(record.device), {"allow_code": "True"} if ".py:" in source.network else {}
    options: dict[str, str] = {}
    if source.trained:
        options = {name: literal(value) for name, value in source.options.model_dump(exclude_defaults=True).items()}
        made = call("models.load", literal(source.network), device=device, **options, **code)
    else:
        if source.network not in ARCHITECTURES or record.labels != ARCHITECTURES[source.network].labels:
            options["labels"] = literal(list(record.labels))
        if source.side is not None:
            options["size"] = literal(source.side)
        options = {} if code else options  # a file brings its own classes
        made = call("models.untrained", literal(source.network), **options, device=device, **code)
    chosen = {name: literal(value) for name in ("seed", "count", "test_count") if (value := getattr(source, name))}
    sets = call("data.train_and_test", literal(source.data), size="classifier.native_shape[1:]", **chosen)
    return [
        f"classifier = {made}",
        f"train, test = {sets}",
        "train = train.among(classifier.labels).with_channels(classifier.native_shape[0])",
    ]


def _training(train: Train) -> str:
    """Return the expression of the training, with every parameter that is not the default; the recipe as its text."""
    given: dict[str, Any] = {}
    for name, parameter in parameters_of(Train).items():
        value = getattr(train, name)
        if name == "recipe":
            given |= {"recipe": literal(words(value))} if value else {}
        elif value != parameter.default and name != "checkpoint":
            given[name] = literal(value)
    return wrapped_call("defenses.Train.build", **given)


def _body(record: TrainingRecord) -> list[str]:
    """Return the body of the loop: it prints finished epochs, and stops where the recorded training was left."""
    lines = [
        "        if step.history and step.history[-1].epoch == step.epoch:",
        "            print(step.history[-1])",
    ]
    if record.outcome.reason == "cancelled":
        lines += [f"        if step.index >= {record.outcome.last_step}:", "            break"]
    return lines
