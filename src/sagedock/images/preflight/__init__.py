"""An image before it is pushed: would it run on these instance types?

``inspection``   the preflight, carried out
``saved``        the engine's archive of an image, read once; ``archive`` reads tars
``layer``        one layer of it
``files``        what the layers hold, and what a container sees of them
``device_code``  GPU code in libraries
``secrets``      secrets by what they look like
``facts``        what the image is made of
``target``       where it is to run
``checks``       what is judged, a row each
``row``          what is said
"""

from sagedock.images.preflight.inspection import preflight
from sagedock.images.preflight.row import Report, Row, Verdict

__all__ = ["Report", "Row", "Verdict", "preflight"]
