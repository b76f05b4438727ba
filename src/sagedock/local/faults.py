"""What goes wrong on AWS, on request: faults that the local SageMaker is told to deliver."""

import math
import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal, TypeVar, get_args

from sagedock.errors import InvalidRequest

__all__ = [
    "REFUSALS",
    "Fault",
    "Faults",
    "Interruptions",
    "LostHost",
    "NoCapacity",
    "Refusal",
    "Refusals",
    "S3Throttle",
    "SlowDownload",
    "as_json",
    "fault_of",
]


#: How a call can be refused on request.
Refusal = Literal[
    "throttling", "access-denied", "explicit-deny", "expired-token", "internal-failure"
]
REFUSALS: tuple[Refusal, ...] = get_args(Refusal)


@dataclass(frozen=True, kw_only=True)
class Interruptions:
    """Spot jobs lose their machines again and again: ``every_s`` seconds of Training on average.

    The moments follow from ``seed``, the job's name and the attempt alone: a run can be repeated.
    """

    kind: ClassVar[str] = "interruptions"
    every_s: float
    seed: int = 0
    job: str = "*"
    times: int | None = None

    def after_s(self, job: str, attempt: int) -> float:
        """Return how many seconds of Training an attempt of ``job`` gets."""
        return random.Random(f"{self.seed}/{job}/{attempt}").expovariate(1 / self.every_s)


@dataclass(frozen=True, kw_only=True)
class LostHost:
    """A machine fails ``after_s`` seconds into Training, or into a processing job's work: SIGKILL,
    with no notice before it.

    ``host`` None means the last one.
    """

    kind: ClassVar[str] = "lost-host"
    after_s: float = 0.0
    host: str | None = None
    job: str = "*"
    times: int | None = 1


@dataclass(frozen=True, kw_only=True)
class NoCapacity:
    """There are no machines for ``wait_s`` seconds; then there are, or, if ``fails``, never."""

    kind: ClassVar[str] = "no-capacity"
    wait_s: float = 1.0
    fails: bool = False
    job: str = "*"
    times: int | None = 1


@dataclass(frozen=True, kw_only=True)
class S3Throttle:
    """A share of the requests to S3 (``rate``, 0 to 1) is answered 503 SlowDown."""

    kind: ClassVar[str] = "s3-throttle"
    rate: float
    seed: int = 0
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class SlowDownload:
    """Input data arrives at ``bytes_per_s`` only, so that Downloading lasts."""

    kind: ClassVar[str] = "slow-download"
    bytes_per_s: float
    job: str = "*"
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """A share of the calls of ``operation`` (a pattern; ``rate``, 0 to 1) is refused with
    ``error``: one of ``REFUSALS``.

    A call that creates with tags is one of AddTags too, as on AWS.
    """

    kind: ClassVar[str] = "refusals"
    error: Refusal
    operation: str = "*"
    rate: float = 1.0
    seed: int = 0
    times: int | None = None


Fault = Interruptions | LostHost | NoCapacity | Refusals | S3Throttle | SlowDownload
_Kind = TypeVar("_Kind", Interruptions, LostHost, NoCapacity, SlowDownload)
_KINDS: Mapping[str, type[Fault]] = {each.kind: each for each in get_args(Fault)}
#: Members that must be above zero, and those that must not be below it.
_POSITIVE = ("every_s", "bytes_per_s", "times")
_NOT_NEGATIVE = ("after_s", "wait_s", "rate")


class Faults:
    """The faults that are to be delivered; safe to use from any thread."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._numbers = iter(range(1, 1_000_000_000))
        self._faults: dict[int, Fault] = {}
        self._dices: dict[int, random.Random] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Deliver ``fault`` from now on; return its number."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = fault
            return number

    def all(self) -> dict[int, Fault]:
        """Return the faults by number, each with how often it is still to come."""
        with self._lock:
            return dict(self._faults)

    def remove(self, number: int | None = None) -> int:
        """Deliver one fault no more, or any; return how many there were."""
        with self._lock:
            numbers = list(self._faults) if number is None else [number]
            return sum(self._faults.pop(each, None) is not None for each in numbers)

    def take(
        self, kind: type[_Kind], job: str, fits: Callable[[_Kind], bool] = lambda _: True
    ) -> _Kind | None:
        """Return the first fault of ``kind`` for ``job`` that ``fits``; that was one of its
        times.
        """
        with self._lock:
            for number, fault in self._faults.items():
                if not isinstance(fault, kind):
                    continue
                if fnmatchcase(job, getattr(fault, "job", "*")) and fits(fault):
                    self._count(number, fault)
                    return fault
        return None

    def throttles(self) -> bool:
        """Say whether this request to S3 is answered SlowDown."""
        if not self._faults:  # the usual case, asked for with each request
            return False
        with self._lock:
            for number, fault in self._faults.items():
                if isinstance(fault, S3Throttle) and self._falls(number, fault):
                    self._count(number, fault)
                    return True
        return False

    def refuses(self, operations: Sequence[str]) -> tuple[Refusal, str] | None:
        """Return (error, operation) if this call, which is one of ``operations``, is refused."""
        if not self._faults:
            return None
        with self._lock:
            for number, fault in self._faults.items():
                if not isinstance(fault, Refusals):
                    continue
                meant = [each for each in operations if fnmatchcase(each, fault.operation)]
                if meant and self._falls(number, fault):
                    self._count(number, fault)
                    return fault.error, meant[0]
        return None

    def _falls(self, number: int, fault: S3Throttle | Refusals) -> bool:
        dice = self._dices.setdefault(number, random.Random(fault.seed))
        return dice.random() < fault.rate

    def _count(self, number: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._faults[number]
        else:
            self._faults[number] = replace(fault, times=fault.times - 1)


def fault_of(said: Mapping[str, Any]) -> Fault:
    """Return the fault that JSON says (``kind`` and its members), or raise InvalidRequest."""
    kind = _KINDS.get(str(said.get("kind")))
    if kind is None:
        raise InvalidRequest([f"kind: {said.get('kind')!r} is none: use {', '.join(_KINDS)}"])
    members = {name: value for name, value in said.items() if name != "kind"}
    if problems := [*_problems(kind, members)]:
        raise InvalidRequest(problems)
    return kind(**members)


def _problems(kind: type[Fault], members: Mapping[str, Any]) -> Sequence[str]:
    known = {each.name: each for each in fields(kind)}
    problems = [
        f"{name}: {kind.kind} has no such member: use {', '.join(known)}"
        for name in members.keys() - known.keys()
    ]
    needed = {name for name, each in known.items() if each.default is MISSING}
    problems += [f"{name}: is missing" for name in sorted(needed - members.keys())]
    for name, value in members.items():
        if name in known and (wrong := _wrong(name, value, str(known[name].type))):
            problems.append(f"{name}: {value!r} {wrong}")
    return problems


def _wrong(name: str, value: Any, declared: str) -> str | None:
    """Return what is wrong with a member's value, or None."""
    if value is None and "None" in declared:
        return None
    if name == "host" and not re.fullmatch("algo-[1-9][0-9]*", str(value)):
        return "is no host of a job: use algo-1, algo-2, ..."
    if name == "error":
        return None if value in REFUSALS else f"is no refusal: use {', '.join(REFUSALS)}"
    if "str" in declared:
        return None if isinstance(value, str) and value else "is no text"
    if "bool" in declared:
        return None if isinstance(value, bool) else "is neither true nor false"
    is_number = isinstance(value, int if "int" in declared else int | float)
    if not is_number or isinstance(value, bool) or not math.isfinite(value):
        return "is no whole number" if "int" in declared else "is no number"
    if name in _POSITIVE and value <= 0:
        return "must be above 0"
    if name in _NOT_NEGATIVE and value < 0:
        return "must not be below 0"
    return "must be 0 to 1" if name == "rate" and value > 1 else None


def as_json(number: int, fault: Fault) -> dict[str, Any]:
    """Return a fault as JSON says it, with its number."""
    return {"number": number, "kind": fault.kind, **asdict(fault)}
