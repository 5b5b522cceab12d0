"""Universal perturbations: seconds until 40 % of held-out images are fooled, against ART."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

import engine
from engine import attacks
from tests.benchmarks.libraries import Counting, Task, art_classifier, quietly

EPS = 0.3
WANTED = 0.4
LEARNING, HELD_OUT = 100, 500


def compare(classifier: engine.Classifier, root: str | None) -> tuple[str, list[dict[str, Any]]]:
    """Both learn from the same 100 MNIST training images; both are judged on 500 others."""
    data = engine.data.load("mnist", "train", root=root).subset(range(LEARNING + HELD_OUT))
    images = data.batch(range(len(data)))[0].to(classifier.device)
    learning, held_out = images[:LEARNING], images[LEARNING:]
    mine, theirs = _ours(classifier, data, held_out), _art(classifier, learning, held_out)
    for row in (mine, theirs):
        row |= {"case": "universal", "median": EPS, "times ours": row["seconds"] / mine["seconds"], "missed": []}
    if theirs["seconds"] / mine["seconds"] < 10:
        mine["missed"] = [f"Universal: {theirs['seconds'] / mine['seconds']:.2f} times faster than ART, asked 10."]
    if mine["success"] < 100 * WANTED:
        mine["missed"].append(f"Universal: {mine['success']:.1f} % of held-out images fooled, asked {100 * WANTED:g} %.")
    return f"Universal perturbation, eps {EPS}: to {100 * WANTED:g} % of {HELD_OUT} held-out MNIST images", [mine, theirs]


def _ours(classifier: engine.Classifier, data: engine.data.DataSet, held_out: Tensor) -> dict[str, Any]:
    attack = attacks.Universal(eps=EPS, count=LEARNING, held_out=HELD_OUT)
    started = time.perf_counter()
    with engine.start(attack, classifier, held_out[:1], data=data) as run:
        for step in run:
            if float(step.readings.get("held-out fooling rate", 0.0)) >= WANTED:
                break
        seconds = time.perf_counter() - started
        result = run.result()
    perturbation = result.artifacts["universal"].values
    return {
        "attacker": "Gibbon",
        "seconds": seconds,
        "forwards": result.forwards,
        "backwards": result.backwards,
        "success": fooled(classifier, held_out, perturbation),
        "note": f"after step {step.index}",
    }


def _art(classifier: engine.Classifier, learning: Tensor, held_out: Tensor) -> dict[str, Any]:
    from art.attacks.evasion import UniversalPerturbation

    model = Counting(classifier)
    wrapped = art_classifier(Task(classifier, learning, learning[:, 0, 0, 0].long()), model)
    attack = UniversalPerturbation(
        wrapped, attacker="deepfool", attacker_params={"verbose": False}, delta=1 - WANTED, max_iter=5, eps=EPS, norm="inf", verbose=False
    )
    torch.manual_seed(0)
    started = time.perf_counter()
    quietly(lambda: attack.generate(learning.cpu().numpy()))
    seconds = time.perf_counter() - started
    return {
        "attacker": "ART",
        "seconds": seconds,
        "forwards": model.forwards,
        "backwards": model.backwards,
        "success": fooled(classifier, held_out, torch.from_numpy(attack.noise).to(held_out)),
        "note": f"{100 * attack.fooling_rate:.1f} % of its own images",
    }


def fooled(classifier: engine.Classifier, images: Tensor, perturbation: Tensor) -> float:
    """Percent of images whose prediction the perturbation changes."""
    changed = classifier.predict((images + perturbation).clamp(0, 1)) != classifier.predict(images)
    return 100 * float(changed.float().mean())
