"""Gradient attacks in a ball, and the sticker's content."""

from engine import attacks
from engine.operation import Attack

STEPS = {"steps": 6}
VARIANTS: list[Attack] = [
    attacks.FGSM(eps=0.1),
    attacks.FGSM(eps=0.8, norm="l2"),
    attacks.FGSM(eps=0.8, norm="l1"),
    attacks.FGSM(eps=0.8, norm="l1", l1_step="one value"),
    attacks.FGSM(eps=0.1, towards="least likely"),
    attacks.FGSM(eps=0.1, towards="random"),
    attacks.PGD(eps=0.1, **STEPS),
    attacks.PGD(eps=0.1, random_start=False, **STEPS),
    attacks.PGD(eps=0.8, norm="l2", restarts=3, **STEPS),
    attacks.PGD(eps=0.8, norm="l1", step_size=0.3, **STEPS),
    attacks.PGD(eps=0.8, norm="l1", l1_step="one value", **STEPS),
    attacks.PGD(eps=0.1, direction="truncated", loss="margin", **STEPS),
    attacks.PGD(eps=None, direction="max", random_start=False, **STEPS),
    attacks.PGD(eps=0.1, loss="dlr", restarts=2, **STEPS),
    attacks.PGD(eps=0.1, towards="likeliest others", n_target_classes=3, restarts=2, loss="margin", **STEPS),
    attacks.PGD(eps=8 / 255, steps=None, step_size=1 / 255, random_start=False, towards="least likely"),
    attacks.PGD(eps=0.1, towards="random", **STEPS),
    attacks.RandFGSM(eps=0.1, alpha=0.02),
    attacks.RandFGSM(eps=0.1, draws=3),
    attacks.Noise(eps=0.1),
    attacks.Noise(eps=0.8, norm="l2", distribution="gaussian", draws=3),
    attacks.Noise(eps=0.1, distribution="uniform"),
    attacks.MIFGSM(eps=0.1, **STEPS),
    attacks.MIFGSM(eps=0.8, norm="l2", **STEPS),
    attacks.APGD(eps=0.05, steps=12),
    attacks.APGD(eps=0.3, steps=12, norm="l2", loss="dlr", restarts=2, drop_fooled=False),
    attacks.APGD(eps=0.8, steps=12, norm="l1", restarts=2),
    attacks.APGD(eps=0.03, steps=12, loss="targeted-dlr", n_target_classes=3),
    attacks.StickerPGD(**STEPS),
    attacks.StickerPGD(begin="random", direction="max", **STEPS),
]
