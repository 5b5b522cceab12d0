"""Classifiers of a study: their entries, the stand-ins that show what was recorded, and loading the weights again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.artifacts import Model
from engine.classifier import Classifier
from engine.errors import GibbonError, in_words
from engine.record import located, model_entry
from engine.record.recorded import RecordedLogits, is_recorded
from engine.record.restoring import derived
from engine.study.entries import StudyModel


def entry_of(classifier: Classifier) -> StudyModel:
    """Make the entry of a classifier; of a stand-in, the entry that it was read from."""
    if is_recorded(classifier):
        return reference(classifier)
    source = None if classifier.source is None else located(classifier.source, lambda path: path.expanduser().resolve().as_posix())
    return StudyModel(entry=model_entry(classifier, None).model_copy(update={"source": source}), labels=classifier.labels)


def reference(classifier: Classifier) -> StudyModel:
    """Return what a stand-in stands for."""
    assert isinstance(classifier.module, RecordedLogits)
    return StudyModel(entry=classifier.module.entry, labels=classifier.labels)


def trained(classifier: Classifier, networks: Sequence[Model], device: str | None = None) -> Classifier | None:
    """Return the classifier that a stand-in stands for, where it is one of the networks that runs of the study trained; else None."""
    from engine.defenses.cards import classifier_of

    for network in networks:
        if {"labels", "input_shape", "mean", "std"} <= network.card.keys():
            found = classifier_of(network, device)
            if found.fingerprint == classifier.fingerprint:
                return found.derive(name=classifier.name)
    return None


def load(classifier: Classifier, folder: Path | None = None, device: str | None = None) -> Classifier:
    """Load the classifier that a stand-in stands for. It runs no user's code and downloads nothing.

    Parameters
    ----------
    classifier
        The stand-in.
    folder
        Folder of the study, where the model's file is looked for if it is not at its path.
    device
        The device; None: that of ``engine.models.load``.

    Raises
    ------
    GibbonError
        The model is gone, needs the user, or has other weights; the sentence says which, and what can be done.
    """
    from engine import models

    entry = reference(classifier).entry
    name, shown = entry.name, "Pictures and numbers are shown as they were recorded."
    if entry.source is None:
        raise GibbonError(f"The study does not say where its model “{name}” came from, so it cannot be loaded again. {shown}")
    if entry.changes:
        raise GibbonError(f"The study's model “{name}” was changed by hand ({'; '.join(entry.changes)}). {shown} Make that change again.")
    if models.runs_code(entry.source):
        raise GibbonError(
            f"The study's model “{name}” is made by code, {entry.source}, which is not run unasked. {shown} Open it in the Model dock."
        )
    source = located(entry.source, lambda path: str(_present(path, folder)))
    try:
        loaded = models.load(
            source,
            device=device,
            architecture=entry.options.architecture,
            activation=entry.options.activation,
            head=entry.options.head,
            labels=None if classifier.labels == () else _labels(source, classifier),
        )
        loaded = derived(loaded, entry)
    except Exception as error:  # a user's file may raise anything
        raise GibbonError(f"The study's model “{name}” is not loaded: {in_words(error, 'Loading it')} {shown}") from None
    if loaded.fingerprint != entry.fingerprint or loaded.labels != classifier.labels:
        what = "weights" if loaded.fingerprint != entry.fingerprint else "class names"
        raise GibbonError(
            f"“{entry.source}” has other {what} than the study's model “{name}”, so it does not take its place. {shown} "
            "Put the original file there, or go on with another model."
        )
    return loaded


def _labels(source: str, classifier: Classifier) -> tuple[str, ...] | None:
    """Return the study's labels for a file, which may hold none of its own; None for a model that brings its own."""
    return classifier.labels if Path(source).suffix in (".safetensors", ".pt", ".pth") else None


def _present(path: Path, folder: Path | None) -> Path:
    """Return the path of a file, or that of its namesake beside the study where it is not at its own."""
    beside = None if folder is None else folder / path.name
    return beside if beside is not None and not path.is_file() and beside.is_file() else path
