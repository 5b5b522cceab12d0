"""Scripts: a recorded run, batch, training, figure or study as Python, in public calls of the engine with each chosen parameter."""

from engine.script.batches import batch_as_python
from engine.script.studies import study_as_python
from engine.script.trainings import training_as_python
from engine.script.writing import Recorded, as_python, runs_as_python, write_script

__all__ = ["Recorded", "as_python", "batch_as_python", "runs_as_python", "study_as_python", "training_as_python", "write_script"]
