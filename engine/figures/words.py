"""The small print of a figure: the model, the attack, the norms, and everything that was assumed, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.classifier import Classifier
from engine.figures.style import number
from engine.operation import Attack, Operation
from engine.parameters import Parameter, parameters_of
from engine.result import AttackResult
from engine.stickers import Optimised, Sticker
from engine.text.cards import accuracy_of, without_kind
from engine.text.formatting import format_norm

GROWN = "The image was grown from noise, so there is no perturbation of the clean one to show."
CLEAN_IMAGE = "the clean image"
_WITH_STICKERS = "the clean image with its stickers"
_WITH_OTHERS = "the clean image with its other stickers"
_GAP = "\N{NO-BREAK SPACE}"


def note_for(
    result: AttackResult, row: int = 0, *, reference: str | None = None, measured_from: str = CLEAN_IMAGE, anonymous: bool = False
) -> str:
    """Return the small print: model, attack with its parameters, norms, seed, and all choices, assumptions and generated data.

    Parameters
    ----------
    result, row
        The result of an attack, and the index of the image.
    reference
        Name of the data set that the attack was compared with, if there was one.
    measured_from
        The image that the attack began from and from which the norms are measured, in words; see `attacked_image`.
    anonymous
        Whether to leave out the names of files.
    """
    sentences = [model_sentence(result.classifier, anonymous=anonymous), attack_sentence(result, row, anonymous=anonymous)]
    grown = isinstance(result.operation, Attack) and not result.operation.from_image
    norms = {name: float(values[row]) for name, values in result.norms.items()}
    sentences.append(GROWN if grown else f"Perturbation, measured from {measured_from}: {all_norms(norms)}.")
    if bool(result.wrong_before[row]):
        seen = result.classifier.labels[int(result.clean_prediction[row])]
        so = ", so this is no success of the attack" if bool(result.reached_before[row] & result.success[row]) else ""
        sentences.append(f"The model misread {measured_from} already before the attack, as “{seen}”{so}.")
    if result.labels_assumed:
        sentences.append("The label is assumed: it is the model's own prediction for the clean image.")
    if reference is not None:
        made = "; drawn by a program, no photographs" if reference.startswith("generated:") else ""
        sentences.append(f"Reference set: {without_kind(reference)}{made}.")
    return " ".join(sentences)


def attacked_image(uses: Collection[str], stickers: Sequence[Sticker]) -> str:
    """Return the image that an attack began from and that its norms are measured from, as the end of a phrase.

    ``uses`` are the inputs that the attack takes (`engine.Operation.uses`). One that paints stickers begins from the image with the others,
    those whose content is fixed.
    """
    stickers = [sticker for sticker in stickers if sticker.visible]
    if "stickers" not in uses:
        return _WITH_STICKERS if stickers else CLEAN_IMAGE
    return _WITH_OTHERS if any(not isinstance(sticker.content, Optimised) for sticker in stickers) else CLEAN_IMAGE


def model_sentence(classifier: Classifier, *, anonymous: bool = False) -> str:
    """Return the model's name with its accuracy and data set, where its card gives them, and what was changed since it was loaded."""
    from engine.models import is_file

    name = "of our own" if anonymous and is_file(classifier.source) else classifier.name
    known = accuracy_of(classifier.card)
    # The accuracy of the card is that of the weights as loaded: a swapped or bounded rectifier was not tested.
    changed = bool(Counter(classifier.changes) - Counter(classifier.changes_of_source)) or bool(classifier.bounds)
    before = " before it was changed" if changed else ""
    return f"Model: {name}." if known == "not known" else f"Model: {name}, accuracy {known}{before}."


def attack_sentence(result: AttackResult, row: int = 0, *, anonymous: bool = False) -> str:
    """Return the attack's name, its aim, the parameters worth saying, and the seed. ``anonymous`` leaves out the names of files."""
    operation, goal = result.operation, result.goal(row)
    labels = result.classifier.labels
    if result.targets is not None:
        aim = f"towards “{labels[int(result.targets[row])]}”"
    elif goal is not None:
        aim = f"towards “{labels[goal]}”, the class it chose"
    else:
        aim = f"away from “{labels[int(result.labels[row])]}”"
    parameters = [_in_words(each, value) for each, value in _worth_saying(operation) if not (anonymous and each.is_file)]
    says = [f"{full_title(operation)} {aim}", ", ".join(parameters), f"seed {result.provenance['seed']}"]
    return f"Attack: {'; '.join(filter(None, says))}."


def full_title(operation: Operation) -> str:
    """Return the operation's title and, where that is an abbreviation, its words: PGD (projected gradient descent)."""
    letters = "".join(letter for letter in operation.title if letter.isalpha()).lower()
    words = next((name for name in operation.also if "".join(word[0] for word in name.replace("-", " ").split()).lower() == letters), "")
    return f"{operation.title} ({words})" if words else operation.title


def all_norms(norms: Mapping[str, float]) -> str:
    """Return the four norms: ``L∞ 8/255, L2 1.56, L1 82.6, L0 1,024 px``. No line break may split a norm."""
    return f"{main_norms(norms)}, L1{_GAP}{format_norm(norms['l1'])}, L0{_GAP}{norms['l0']:,.0f}{_GAP}px"


def main_norms(norms: Mapping[str, float]) -> str:
    """Return the two norms that most papers bound: ``L∞ 8/255, L2 1.56``."""
    return f"L∞{_GAP}{number(norms['linf'])}, L2{_GAP}{format_norm(norms['l2'])}"


def _worth_saying(operation: Operation) -> list[tuple[Parameter, Any]]:
    """Return the parameters of the budget, and all that differ from their default, with their values."""
    given = [(parameter, getattr(operation, name)) for name, parameter in parameters_of(type(operation)).items()]
    return [(each, value) for each, value in given if value is not None and (each.group == "Budget" or value != each.default)]


def _in_words(parameter: Parameter, value: Any) -> str:
    shown = parameter.shown(value)
    if parameter.is_file:
        return f"{parameter.title}{_GAP}{Path(value).name}"
    if parameter.name == "norm":
        return f"{shown} norm"
    return f"{shown}{_GAP}{parameter.title}" if parameter.name == "steps" else f"{parameter.title}{_GAP}{shown}"
