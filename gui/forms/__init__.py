"""Forms: the pydantic fields of an operation as a pyqtgraph ParameterTree, and back.

Import it after the window stands: pyqtgraph takes a while.
"""

from gui.forms.fields import read_fields
from gui.forms.form import Form

__all__ = ["Form", "read_fields"]
