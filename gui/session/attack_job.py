"""An attack on the scene: building its run and its previews (in the engine thread), completing and summarising its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gui.session.defense import behind
from gui.session.scene import Frame, Iterate, Scene, observe_scene
from gui.session.sticker_content import stickers_after

if TYPE_CHECKING:
    from engine import Attack, AttackResult
    from engine.artifacts import Artifact
    from engine.bits import Bits
    from engine.data import DataSet
    from engine.stickers import Sticker
    from engine.timeline import Timeline
    from gui.lanes.jobs import Job
    from gui.session.attack_inputs import AttackInputs
    from gui.session.data_choice import Choice
    from gui.session.state import State


def make_run(attack: Attack, scene: Scene, inputs: AttackInputs, load: Callable[[Choice], DataSet], timeline: Timeline) -> Any:
    """Build the attack's run, whose steps ``timeline`` keeps. Called in the engine thread."""
    import torch

    import engine
    from engine.stickers import compose

    composition = compose(scene.clean, scene.stickers)
    paints = "stickers" in attack.uses
    masked = paints or (inputs.region == "stickers" and attack.masked)
    label, target = inputs.label, inputs.target if "targets" in attack.uses else None
    begin = composition.content if paints else inputs.begin
    if masked and composition.mask is None:
        raise engine.GibbonError("There is no sticker whose content is to be optimised. Draw one, and set its content to “optimised”.")
    base = composition.base if paints else composition.shown
    labels = None if label is None else torch.tensor([label])
    if labels is None and (scene.stickers or inputs.defense):
        # The assumed label is the prediction for the clean image, without stickers and defense: all attackers are judged by the same one.
        labels = scene.classifier.predict(scene.clean[None])
    return engine.start(
        attack,
        behind(scene.classifier, inputs.defense),
        base[None],
        labels=labels,
        labels_assumed=label is None,
        targets=None if target is None else torch.tensor([target]),
        mask=composition.mask if masked else None,
        start=None if begin is None else begin[None],
        data=None if inputs.data is None else load(inputs.data),
        seed=inputs.seed,
        record=timeline,
    )


def prepare(inputs: AttackInputs, loading: Callable[[Choice], Bits[DataSet]]) -> Iterator[str]:
    """Load the data set, so that `make_run` finds it in memory. Called in the engine thread."""
    if inputs.data is not None:
        for done, of in loading(inputs.data):
            yield f"loading {inputs.data.title}, {done:,} of {of:,}"


def completed(result: AttackResult) -> AttackResult:
    """Return the result with all its cached properties computed, so that the main thread needs no forward pass."""
    if not isinstance(result.artifacts, dict):
        result = replace(result, artifacts={name: on_cpu(artifact) for name, artifact in result.artifacts.items()})
    result = replace(result, trace=result.trace.cpu())
    for name in ("clean_logits", "clean_prediction", "prediction", "success", "survives_8bit", "norms", "remarks", "reached_before"):
        getattr(result, name)
    return result


def on_cpu(artifact: Artifact) -> Artifact:
    """Return the artifact with its tensors on the CPU, since the main thread must not wait for a device."""
    from engine.artifacts import Curve, Map, Picture

    if isinstance(artifact, Map):
        return replace(artifact, values=artifact.values.detach().cpu())
    if isinstance(artifact, Curve):
        return replace(artifact, x=artifact.x.cpu(), lines={name: line.detach().cpu() for name, line in artifact.lines.items()})
    if isinstance(artifact, Picture):
        return replace(artifact, image=artifact.image.detach().cpu())
    return artifact


def preview_of(scene: Scene, current: Callable[[], State]) -> Callable[[Any, Any], Frame]:
    """Return ``make_preview(run, step)`` for a job, which observes the step's iterate in the engine thread.

    ``current()`` returns the present state, whose bounds and explanations may change while the attack runs.
    """

    def preview(_run: Any, step: Any) -> Frame:
        iterate = Iterate(step.adversarial[0].detach().cpu(), step.index, grown=scene.grown)
        return observe_scene(current().looking_at(scene), iterate)

    return preview


def painted_so_far(job: Job, stickers: tuple[Sticker, ...]) -> dict[int, Sticker]:
    """Return the stickers as a paused sticker attack has painted them so far, by id. Called in the engine thread."""
    result = job.result()
    return {} if result is None else {sticker.id: sticker for sticker in stickers_after(stickers, result)}


def is_grown(result: AttackResult) -> bool:
    """Return whether the adversarial image was grown from noise; see `Scene`."""
    return not getattr(result.operation, "from_image", True)


def parameter_lines(result: AttackResult) -> str:
    """List the parameters of a finished attack under their titles, its seed, model and device, one to a line."""
    from engine.parameters import parameters_of

    made, known = result.provenance, parameters_of(type(result.operation))
    lines = [f"{known[name].title}: {known[name].told(value)}" for name, value in dict(made["operation"]["parameters"]).items()]
    settings = (("seed", made["seed"]), ("model", f"{made['model']['name']} {made['model']['fingerprint']}"), ("device", made["device"]))
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in settings)])
