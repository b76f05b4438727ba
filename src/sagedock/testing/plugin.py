"""The pytest plugin: the fixture ``local_sagemaker``.

::

    def test_my_image_trains(local_sagemaker):
        boto3.client("sagemaker").create_training_job(...)
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sagedock.local import LocalSageMaker

__all__ = ["local_sagemaker", "local_sagemaker_server"]


@pytest.fixture(scope="session")
def local_sagemaker_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[LocalSageMaker]":
    """One local SageMaker for the whole session, in a folder of its own.

    Skips the test, saying so, where no Docker engine answers.
    """
    from sagedock.errors import EngineUnavailable
    from sagedock.local import LocalSageMaker

    local = LocalSageMaker(home=tmp_path_factory.mktemp("sagedock"), shutdown_grace_s=1.0)
    try:
        local.start()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    try:
        yield local
    finally:
        local.stop()


@pytest.fixture
def local_sagemaker(
    local_sagemaker_server: "LocalSageMaker", monkeypatch: pytest.MonkeyPatch
) -> "LocalSageMaker":
    """The session's local SageMaker, with this test's environment pointing every client at it."""
    for name, value in local_sagemaker_server.environment().items():
        monkeypatch.setenv(name, value)
    return local_sagemaker_server
