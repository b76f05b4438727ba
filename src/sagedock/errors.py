"""Every exception that sagedock raises, one tree, each with the exit code that the CLI ends with.

::

    SagedockError ................. 1
    ├── InvalidRequest ............ 2   the input is wrong; every problem is listed
    ├── EngineError ............... 3   Docker answered with a failure
    │   ├── EngineUnavailable           no Docker engine answers
    │   ├── ImageNotFound               the engine has no such image
    │   └── ContainerNotStarted         the engine could not start a container
    ├── JobFailed ................. 4   the job ran, and ended Failed or Stopped
    ├── LocalServerError .......... 5   the local SageMaker cannot start, stop or be reached
    ├── BuildFailed ............... 6   an image could not be built
    ├── StorageError .............. 7   a folder or a disk refuses what must be written
    ├── ContractBroken ............ 8   a container or a file breaks the SageMaker contract
    ├── InvocationFailed .......... 9   a model answered a call with an error
    ├── PushFailed ................ 10  an image could not be pushed, or what was pushed is not good
    ├── LicenceDenied ............. 11  an image holds packages under a licence that is not wanted
    ├── Vulnerable ................ 12  an image holds packages with known vulnerabilities
    ├── NotAudited ................ 13  nobody could say whether it does: never a pass
    └── NoCredentials ............. 14  there are no credentials for AWS here, or no such profile
"""

from collections.abc import Sequence
from typing import ClassVar

__all__ = [
    "BuildFailed",
    "ContainerNotStarted",
    "ContractBroken",
    "EngineError",
    "EngineUnavailable",
    "ImageNotFound",
    "InvalidRequest",
    "InvocationFailed",
    "JobFailed",
    "LicenceDenied",
    "LocalServerError",
    "NoCredentials",
    "NotAudited",
    "PushFailed",
    "SagedockError",
    "StorageError",
    "Vulnerable",
]


class SagedockError(Exception):
    """Something that the user can act on. Its text says what, where, and what to do."""

    exit_code: ClassVar[int] = 1


class InvalidRequest(SagedockError):
    """The input is wrong. ``problems`` lists every one, each naming its field and the remedy."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class EngineError(SagedockError):
    """The container engine refused or failed."""

    exit_code = 3


class EngineUnavailable(EngineError):
    """No Docker engine answers."""


class ImageNotFound(EngineError):
    """The engine has no image of that name, tag or digest."""


class ContainerNotStarted(EngineError):
    """The engine could not start a container: its command is absent, or cannot be executed."""


class JobFailed(SagedockError):
    """A job ended in ``Failed`` or ``Stopped``. ``reason`` is the service's FailureReason, and
    ``remedy`` what to do about what is left, if there is anything.
    """

    exit_code = 4

    def __init__(self, name: str, status: str, reason: str, *, remedy: str = "") -> None:
        self.name = name
        self.status = status
        self.reason = reason
        self.remedy = remedy
        told = f"{name} ended {status}" + (f": {reason}" if reason else "")
        super().__init__(f"{told}\n{remedy}" if remedy else told)


class LocalServerError(SagedockError):
    """The local SageMaker cannot start, stop, or be reached."""

    exit_code = 5


class BuildFailed(SagedockError):
    """An image could not be built. ``step`` is that of its Dockerfile which failed."""

    exit_code = 6

    def __init__(self, said: str, *, step: str | None = None) -> None:
        self.step = step
        super().__init__(said)


class StorageError(SagedockError):
    """A folder or a disk refuses what must be written there."""

    exit_code = 7


class PushFailed(SagedockError):
    """An image could not be pushed, or what was pushed is not what it must be."""

    exit_code = 10


class LicenceDenied(SagedockError):
    """An image holds packages under a licence that is not wanted."""

    exit_code = 11


class Vulnerable(SagedockError):
    """An image holds packages that have known vulnerabilities."""

    exit_code = 12


class NotAudited(SagedockError):
    """What is known of vulnerabilities could not be asked, or not for every package: no pass."""

    exit_code = 13


class NoCredentials(SagedockError):
    """There are no credentials for AWS here: none at all, none that can be read, or no profile of
    that name.
    """

    exit_code = 14


class InvocationFailed(SagedockError):
    """A model's container answered an invocation with ``status``, and ``answer`` as its body.

    ``status`` is None where nobody tells it: of an asynchronous invocation.
    """

    exit_code = 9

    def __init__(self, endpoint: str, *, answer: str, status: int | None = None) -> None:
        self.endpoint = endpoint
        self.status = status
        self.answer = answer
        told = "the invocation failed" if status is None else f"its model answered {status}"
        super().__init__(f"{endpoint}: {told}: {answer or 'nothing'}")


class ContractBroken(SagedockError):
    """A container, or a file the platform gave it, breaks SageMaker's container contract."""

    exit_code = 8
