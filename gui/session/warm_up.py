"""Warm-up: the one-time cost of a session's first run, paid in advance while the lane is idle."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Classifier
    from engine.data import DataSet
    from gui.session.data_choice import Choice


def _no_data(_choice: Choice) -> DataSet:
    raise AssertionError("FGSM works on no data set")


def warm_up(classifier: Classifier) -> None:
    """Run one step of an attack on a grey image, and discard the result. Called in the engine thread.

    The first run imports modules that only runs need, starts autograd's threads and lets the libraries choose kernels for these shapes.
    If the model cannot be attacked, the error is ignored here: the run that the user starts reports it.
    """
    import torch

    from engine.attacks import FGSM
    from engine.timeline import Timeline
    from gui.session.attack_inputs import AttackInputs
    from gui.session.attack_job import completed, make_run
    from gui.session.scene import Iterate, Scene, observe_scene

    with contextlib.suppress(Exception):
        scene = Scene(classifier, torch.full(classifier.input_shape, 0.5))
        run = make_run(FGSM(), scene, AttackInputs(), _no_data, Timeline())
        for step in run:
            observe_scene(scene, Iterate(step.adversarial[0].detach().cpu(), step.index))
        completed(run.result())
