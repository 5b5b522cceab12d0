"""Forms: the pydantic fields of an operation as a pyqtgraph ParameterTree, and back.

Import it after the window stands: pyqtgraph takes a while.
"""

from gui.forms.fields import Field, read_fields
from gui.forms.form import Form

__all__ = ["Field", "Form", "read_fields"]
