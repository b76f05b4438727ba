"""What a program asks pip for, and where pip finds it: an index, or a channel of wheels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.errors import InvalidRequest

__all__ = ["WHEELHOUSE", "Packages", "find_packages", "has_route", "no_index_hint"]

#: The channel that holds wheels, for jobs without a network.
WHEELHOUSE = "wheelhouse"
_ROUTES = Path("/proc/net/route")
_ROUTES_V6 = Path("/proc/net/ipv6_route")
_GATEWAY = 0x2  # RTF_GATEWAY
_ARCHIVES = (".whl", ".tar.gz", ".zip")
_UNREACHED = ("Connection", "connection", "Temporary failure in name resolution", "timed out")


@dataclass(frozen=True, kw_only=True)
class Packages:
    """Where pip looks: its options, and whether that is a place on this machine alone."""

    options: tuple[str, ...]
    offline: bool


def find_packages(
    channels: Sequence[str], folder: Path, *, online: bool, env: Mapping[str, str]
) -> Packages:
    """Return where pip looks: the wheelhouse channel, else nowhere without a route, else an index.

    ``folder`` is where the channels lie. Without an index a package is built with what the image
    has, since pip could not fetch build requirements. Raises InvalidRequest for a wheelhouse that
    holds no package.
    """
    if WHEELHOUSE in channels:
        wheels = folder / WHEELHOUSE
        if not any(file.name.endswith(_ARCHIVES) for file in wheels.iterdir()):
            problem = f"channel {WHEELHOUSE}: {wheels} holds no wheel: put *.whl files at its top"
            raise InvalidRequest([problem])
        options = ("--no-index", "--find-links", str(wheels), "--no-build-isolation")
        return Packages(options=options, offline=True)
    if online or env.get("PIP_NO_INDEX"):
        return Packages(options=(), offline=False)
    return Packages(options=("--no-index", "--no-build-isolation"), offline=True)


def has_route(routes: Path = _ROUTES, routes_v6: Path = _ROUTES_V6) -> bool:
    """Return whether this container has a way out: a gateway in the kernel's tables."""
    ways = [(line[3], line[7]) for line in _table(routes)[1:] if len(line) > 7]
    v6 = [line[8] for line in _table(routes_v6) if len(line) > 8 and line[9] != "lo"]
    flags = [int(flag, 16) for flag, mask in ways if mask == "00000000"]
    flags += [int(flag, 16) for flag in v6]
    return any(flag & _GATEWAY for flag in flags)


def _table(file: Path) -> list[list[str]]:
    try:
        return [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        return []


def no_index_hint(packages: Packages, stderr: Sequence[str]) -> str | None:
    """Return what to do where pip failed for want of an index, else None."""
    unreached = any(word in line for line in stderr for word in _UNREACHED)
    if not packages.offline and not unreached:
        return None
    return (
        "no package index can be reached from this container (network isolation?): give the job a"
        f" channel {WHEELHOUSE!r} with the wheels of everything that requirements.txt asks for,"
        " their dependencies too, or install them in the image"
    )
