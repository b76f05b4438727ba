"""For users' own tests: the pytest fixture ``local_sagemaker``, and a fake engine without Docker.

``plugin``  is loaded by pytest itself, through the package's entry point
``fake``    an engine whose containers are Python functions
``fake_server``  a program for it that answers HTTP, as a serving container does
"""

from sagedock.testing.fake import Container, FakeEngine
from sagedock.testing.fake_server import Call, Reply, serving

__all__ = ["Call", "Container", "FakeEngine", "Reply", "serving"]
