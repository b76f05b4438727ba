"""The handler being written, served in a container, and started again when it is changed.

``handler``    what is served, and all that is wrong with it
``workbench``  serves it until it is told to stop; ``events`` are what it tells meanwhile
``layout``     the model and the code, as the platform would lay them out; ``edits`` finds changes
``served``     the container; ``relay`` the port before it, which stays while containers change
``leftovers``  what a killed workbench left, found and removed
"""

from sagedock.workbench.events import Event
from sagedock.workbench.handler import Handler
from sagedock.workbench.workbench import Workbench

__all__ = ["Event", "Handler", "Workbench"]
