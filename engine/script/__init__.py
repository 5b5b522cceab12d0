"""Scripts: a recorded run, figure or study as Python, in public calls of the engine with every parameter that is not the default."""

from engine.script.studies import study_as_python
from engine.script.writing import Recorded, as_python, runs_as_python, write_script

__all__ = ["Recorded", "as_python", "runs_as_python", "study_as_python", "write_script"]
