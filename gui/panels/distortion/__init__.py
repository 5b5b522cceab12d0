"""The Distortion dock: whether the adversarial image survives light, blur, noise, compression and a camera."""

from gui.panels.distortion.panel import DistortionPanel

__all__ = ["DistortionPanel"]
