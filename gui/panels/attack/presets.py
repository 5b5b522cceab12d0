"""Published settings of attacks, by the attack's slug. What is not named keeps its default."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "pgd": {
        "BIM, eps 8/255 (Kurakin 2016)": {"eps": 8 / 255, "steps": 10, "step_size": 1 / 255, "random_start": False},
        "PGD on MNIST (Madry 2017)": {"eps": 0.3, "steps": 40, "step_size": 0.01},
        "PGD on CIFAR-10 (Madry 2017)": {"eps": 8 / 255, "steps": 20, "step_size": 2 / 255},
        "Loop of the lectures: gradient over its maximum, 0.05 × 20": {
            "eps": None,
            "steps": 20,
            "step_size": 0.05,
            "direction": "max",
            "random_start": False,
        },
        "Truncated gradient, 0.05 × 20": {
            "eps": None,
            "steps": 20,
            "step_size": 0.05,
            "direction": "truncated",
            "quantile": 0.9,
            "random_start": False,
        },
    },
    "fgsm": {
        "FGSM on MNIST (Goodfellow 2014)": {"eps": 0.25},
        "Step l.l. (Kurakin 2016)": {"eps": 8 / 255, "towards": "least likely"},
    },
}
