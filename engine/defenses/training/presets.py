"""Whole recipes of training under the names by which they are known."""

from __future__ import annotations

from engine.parameters import Preset

PRESETS: tuple[Preset, ...] = (
    Preset("Standard: cross-entropy alone", {}),
    Preset("Gaussian noise and bounded ReLU (Zantedeschi et al. 2017)", {"recipe": "gaussian sigma=0.3", "activation": "bounded"}),
    Preset("PGD adversarial training, digits: L∞ 0.3 (Madry et al. 2017)", {"recipe": "pgd eps=0.3"}),
    Preset("PGD adversarial training, colour images: L∞ 8/255 (Madry et al. 2017)", {"recipe": "pgd"}),
    # On digits the noise of 2 eps hides the strokes: at eps 0.3 N-FGSM reaches 44 % under PGD-40, a projected step from less noise 83 %.
    Preset(
        "Fast adversarial training from a random start, digits: L∞ 0.3 (Wong et al. 2020)",
        {"recipe": "n-fgsm eps=0.3 noise=1 step=1.25 project=yes ramp=3", "augment": "none"},
    ),
    Preset("N-FGSM, fast adversarial training, colour images: L∞ 8/255 (de Jorge et al. 2022)", {"recipe": "n-fgsm"}),
    Preset("FGSM adversarial training in mixed batches (Kurakin et al. 2016)", {"recipe": "fgsm"}),
    Preset("TRADES, digits: L∞ 0.3 (Zhang et al. 2019)", {"recipe": "trades eps=0.3 beta=1 ramp=2"}),
    Preset("TRADES, colour images: L∞ 8/255 (Zhang et al. 2019)", {"recipe": "trades"}),
    Preset("AdvProp (Xie et al. 2019)", {"recipe": "advprop"}),
    Preset("Adversarial, then clean: PGD, then 5 clean epochs", {"recipe": "pgd", "clean_last": 5}),
    Preset("Virtual adversarial training, VAT (Miyato et al. 2017)", {"recipe": "vat"}),
    Preset("Label smoothing (Warde-Farley, Goodfellow 2016)", {"recipe": "label-smoothing"}),
    Preset("Gradient regularisation (Ross, Doshi-Velez 2017)", {"recipe": "gradient-regularisation"}),
    Preset("Worst of ten rotations and translations (Engstrom et al. 2017)", {"recipe": "worst-transformation"}),
    Preset("Adversarial stickers (Wu et al. 2019)", {"recipe": "stickers"}),
    Preset("Covered squares, cutout (DeVries, Taylor 2017)", {"recipe": "covered-squares"}),
)
"""The recipes, with the parameters of `Train` that differ from their defaults. Digits are grey images in [0, 1], with the usual L∞ 0.3."""
