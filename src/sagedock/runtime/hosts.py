"""The other hosts' names resolve only some time after the containers start."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from sagedock.contract import limits, variables
from sagedock.errors import ContractBroken, InvalidRequest

__all__ = ["patience_s", "report_times", "wait_for"]

_PAUSE_S = 0.5


def patience_s(env: Mapping[str, str]) -> float:
    """Return the seconds to wait for names: the variable's, or the toolkit's 15 minutes."""
    text = env.get(variables.SAGEDOCK_HOSTS_RESOLVE_S.name)
    if text is None:
        return float(int(limits.HOSTS_RESOLVE_S))
    try:
        return float(text)
    except ValueError:
        problem = f"{variables.SAGEDOCK_HOSTS_RESOLVE_S}: {text!r} is no number of seconds"
        raise InvalidRequest([problem]) from None


def report_times() -> Iterator[float]:
    """Yield the seconds after which a wait is reported: 2, 5, 10, 20, 40, 80, 140, 200, ..."""
    yield from (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)
    seconds = 80.0
    while True:
        seconds += 60.0
        yield seconds


def wait_for(
    hosts: Sequence[str],
    *,
    patience: float,
    say: Callable[[str], None],
    resolve: Callable[[str], str] = socket.gethostbyname,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when every host resolves, saying which is awaited at growing intervals.

    Raises ContractBroken naming the hosts that still do not resolve after ``patience`` seconds.
    """
    start = clock()
    reports = report_times()
    next_report = next(reports)
    while missing := [host for host in hosts if not _resolves(host, resolve)]:
        waited = clock() - start
        if waited >= patience:
            raise ContractBroken(_never(missing, waited))
        if waited >= next_report:
            say(f"waiting for {', '.join(missing)} to resolve ({waited:.0f} s)...")
            next_report = next(time_s for time_s in reports if time_s > waited)
        sleep(_PAUSE_S)


def _resolves(host: str, resolve: Callable[[str], str]) -> bool:
    try:
        resolve(host)
    except OSError:
        return False
    return True


def _never(missing: Sequence[str], waited: float) -> str:
    return (
        f"{', '.join(missing)} did not resolve in {waited:.0f} s: resourceconfig.json names hosts"
        " that are not on this container's network, or that never started."
        f" {variables.SAGEDOCK_HOSTS_RESOLVE_S} sets how long to wait"
    )
