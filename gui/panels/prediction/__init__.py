"""The Prediction dock: the classifier's predictions for the clean and the adversarial image."""

from gui.panels.prediction.panel import PredictionPanel

__all__ = ["PredictionPanel"]
