"""For users' own tests: the pytest fixture ``local_sagemaker``, and a fake engine without Docker.

``plugin``  is loaded by pytest itself, through the package's entry point
``fake``    an engine whose containers are Python functions
"""

from sagedock.testing.fake import Container, FakeEngine

__all__ = ["Container", "FakeEngine"]
