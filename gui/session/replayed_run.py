"""A replayed record as a finished run: its scene before and after the attack, its inputs, and the comparison with the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import completed, is_grown
from gui.session.data_choice import Choice
from gui.session.defense import Steps
from gui.session.history import AttackRun
from gui.session.scene import Scene
from gui.session.sticker_content import stickers_after

if TYPE_CHECKING:
    from engine import Classifier
    from engine.record import DataEntry, Replay
    from engine.timeline import Timeline


@dataclass(frozen=True, eq=False)
class ReplayedScene:
    """A replay, and the contents of the canvas before and after its attack."""

    replay: Replay
    before: Scene
    after: Scene
    timeline: Timeline

    @property
    def reason(self) -> str:
        """The reason why the attack ended."""
        return str(self.replay.reason)


def completed_replay(replay: Replay, timeline: Timeline, known: Sequence[Classifier] = ()) -> ReplayedScene:
    """Return the replay with its cached properties computed, and its scenes. Called in the engine thread.

    The canvas shows the model without the recorded defense: the one of the ``known`` models that it is, if there is one.
    """
    replay = replace(replay, result=completed(replay.result))
    classifier, defense = _undefended(replay, known)
    for before, after in _candidates(replay, classifier, defense):
        if (after.adversarial() - replay.result.adversarial[0].cpu()).abs().max() < 1e-6:
            return ReplayedScene(replay, before, after, timeline)
    before, after = _plain(replay, classifier, defense)
    return ReplayedScene(replay, before, after, timeline)


def _undefended(replay: Replay, known: Sequence[Classifier]) -> tuple[Classifier, Steps]:
    """Return the model without the recorded defense, and the defense."""
    from engine.defenses.preprocessing import words

    classifier, steps = replay.result.classifier, defense_of(replay)
    if not steps:
        return classifier, ()
    plain = classifier.undefended(classifier.name.removesuffix(f" behind {words(steps)}"), len(steps))
    there = plain.fingerprint, plain.labels, plain.device
    return next((each for each in known if (each.fingerprint, each.labels, each.device) == there), plain), steps


def defense_of(replay: Replay) -> Steps:
    """Return the preprocessing through which the recorded attack went."""
    from engine.defenses.preprocessing import read

    return read(list(replay.record.model.preprocessing))


def _candidates(replay: Replay, classifier: Classifier, defense: Steps) -> list[tuple[Scene, Scene]]:
    """Return the scenes with the recorded stickers, if there are any. They may not suffice: a mask may have been given beside them."""
    result, stickers = replay.result, tuple(entry.sticker() for entry in replay.record.stickers)
    if not stickers or replay.clean is None:
        return []
    before = Scene(classifier, replay.clean.detach().cpu(), stickers, defense=defense)
    if "stickers" in result.operation.uses:
        return [(before, replace(before, stickers=stickers_after(stickers, result)))]
    delta = (result.adversarial - result.clean)[0].detach().cpu()
    return [(before, replace(before, delta=delta, grown=is_grown(result)))]


def _plain(replay: Replay, classifier: Classifier, defense: Steps) -> tuple[Scene, Scene]:
    """Return the scenes without stickers: the image that was attacked, and the perturbation."""
    result = replay.result
    before = Scene(classifier, result.clean[0].detach().cpu(), defense=defense)
    delta = (result.adversarial - result.clean)[0].detach().cpu()
    return before, replace(before, delta=delta, grown=is_grown(result))


def run_of_replay(made: ReplayedScene, path: Path) -> AttackRun:
    """Return the finished run of a replayed record."""
    from engine.study import Replayed

    replay = made.replay
    return AttackRun(
        result=replay.result,
        scene=made.after,
        before=made.before,
        image=_image(replay, made.before, path),
        inputs=_inputs(replay),
        photograph=replay.photograph,
        timeline=made.timeline,
        replayed=Replayed(path.name, replay.same, replay.sentence),
    )


def _image(replay: Replay, before: Scene, path: Path) -> Mapping[str, Any]:
    """Return where the image came from, as `State.image` has it; one without a file is named after the record."""
    photograph, entry = replay.photograph, replay.record.image
    if photograph is None or replay.clean is None or not before.clean.equal(replay.clean.cpu()):
        return {"name": f"image of {path.name}"}
    crop = entry.crop or tuple(photograph.default_crop(replay.result.classifier))
    return {
        "name": photograph.name,
        "path": None if photograph.path is None else str(photograph.path),
        "sha256": photograph.sha256,
        "size": list(photograph.size),
        "crop": list(crop),
        "notes": list(photograph.notes),
    }


def _inputs(replay: Replay) -> AttackInputs:
    record, attack = replay.record, replay.result.operation
    paints = "stickers" in attack.uses
    begin = None if record.start is None else record.start.tensor()
    return AttackInputs(
        region="stickers" if replay.mask is not None and not paints else "image",
        label=None if record.label.assumed else record.label.index,
        target=None if record.target is None else record.target.index,
        seed=record.seed,
        data=None if record.data is None else _choice(record.data),
        begin=begin,
        begin_name="" if begin is None else "the record's start image",
        defense=defense_of(replay),
        mask=replay.mask,
        row=record.row,
    )


def _choice(entry: DataEntry) -> Choice:
    from engine.data import parse_name

    name, split = parse_name(entry.name)
    return Choice(name, split or "", entry.count)
