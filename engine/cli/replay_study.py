"""Replay of a study: each of its attacks again, with a line for each that says whether it gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.output import say, say_json
from engine.cli.replaying import OTHER_BITS, run
from engine.errors import GibbonError
from engine.study import Study, StudyRun, read, trained
from engine.study.recording import record_of_run

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.record import Replay

NOT_RUN = 2


@dataclass(eq=False)
class _Models:
    """The classifiers that were loaded or trained, so that each is made once."""

    study: Study
    here: list[Classifier] = field(default_factory=list)

    def of(self, run: StudyRun) -> list[Classifier]:
        """Return the classifiers at hand, with the one of a run where another run of the study trained it."""
        from engine.artifacts import Model

        result = run.attack
        if result is not None and all(each.fingerprint != result.classifier.fingerprint for each in self.here):
            artifacts = (artifact for other in self.study.runs for artifact in other.result.artifacts.values())
            made = trained(result.classifier, [each for each in artifacts if isinstance(each, Model)], result.provenance.get("device"))
            self.here += [] if made is None else [made]
        return self.here

    def keep(self, classifier: Classifier) -> None:
        """Remember a classifier that a replay has loaded."""
        if all(each is not classifier for each in self.here):
            self.here.append(classifier)


@dataclass(frozen=True)
class _Line:
    """The outcome of one run of the study."""

    title: str
    sentence: str
    same: bool | None
    """None: it could not be run."""
    counts: bool = True
    """Whether it is an attack; others are named, and left out."""
    sha256: tuple[str, str] = ("", "")
    """The recorded hash and the one of now."""

    def json(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        recorded, now = self.sha256
        return {"run": self.title, "same": self.same, "sentence": self.sentence, "recorded": recorded, "now": now}


def replay_study(path: Path, *, device: str | None, threads: int | None, allow_code: bool, data: Path | None, json: bool) -> int:
    """Replay every attack of a study that was not removed, and say for each whether its bits are the recorded ones.

    Returns
    -------
    int
        The exit code: 0 where all gave the same bits, 1 where any gave others, 2 where any could not be run.

    Raises
    ------
    GibbonError
        The study cannot be read, or has no attack.
    """
    study = read(path)
    if not any(each.attack is not None and each.id not in study.removed for each in study.runs):
        raise GibbonError(f"“{path.name}” has no attack that could be replayed.")
    if not json:
        say(*study.remarks)
    lines = []
    for line in _lines(study, path.parent, device, threads, allow_code, data, json):
        lines.append(line)
        if not json:
            say(f"{line.title}: {line.sentence}")
    judged = [line for line in lines if line.counts]
    same = sum(line.same is True for line in judged)
    summary = f"The same bits again in {same:,} of {len(judged):,} runs."
    if json:
        say_json({"same": same == len(judged), "sentence": summary, "runs": [line.json() for line in lines]})
    else:
        say(summary)
    return NOT_RUN if any(line.same is None for line in judged) else 0 if same == len(judged) else OTHER_BITS


def _lines(
    study: Study, folder: Path, device: str | None, threads: int | None, allow_code: bool, data: Path | None, quiet: bool
) -> Iterator[_Line]:
    models = _Models(study)
    for each in study.runs:
        if each.id in study.removed:
            continue
        if each.attack is None:
            yield _Line(each.title, "It is no attack on an image, and is left out.", None, counts=False)
            continue
        try:
            again = run(
                record_of_run(each, files=False),
                folder,
                None,
                device,
                threads,
                allow_code,
                quiet=quiet,
                data=data,
                known=models.of(each),
            )
        except GibbonError as error:
            yield _Line(each.title, f"It was not replayed. {error}", None)
            continue
        models.keep(again.result.classifier)
        yield _line(each, again)


def _line(run: StudyRun, again: Replay) -> _Line:
    return _Line(run.title, again.sentence, again.same, sha256=(again.record.outcome.adversarial_sha256, again.sha256))
