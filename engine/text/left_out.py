"""The subjects that the lectures name and Gibbon leaves out, with the reasons, for Help and the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """A subject that the lectures name and that Gibbon leaves out."""

    subject: str
    """Subject with its paper, where there is one."""
    why: str
    """The reason, and what is here instead, as a sentence."""


LEFT_OUT = (
    LeftOut(
        "Universal perturbations of semantic segmentation (Metzen et al. 2017, arXiv 1704.05712)",
        "Models here give one class for an image. Universal perturbations of classifiers are here.",
    ),
    LeftOut("Speech: inaudible commands (DolphinAttack), audio changed by × 0.01", "Gibbon works on images only."),
    LeftOut("Spam, malware and intrusion detection", "Their inputs are no images, and have constraints of their own."),
    LeftOut("Biometric and face recognition systems", "No such model or data set is shipped. Any classifier of one's own can be loaded."),
    LeftOut(
        "Printed stickers and patches, photographed again",
        "They need a printer and a camera. Light, angle, distance and camera noise are simulated.",
    ),
)
"""The subjects, in the order in which the lectures come to them."""
