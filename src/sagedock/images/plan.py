"""A build as data: the arguments of the client that builds, and nothing done yet."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sagedock.images.builder import Builder
from sagedock.images.device import device_args
from sagedock.images.image import ARCHITECTURE, Image

__all__ = ["build_command", "own_base"]

_OWN_BASE = "sagedock/base:"
#: Docker passes these to a build without writing them into the image's history.
#: https://docs.docker.com/build/building/variables/#pre-defined-build-arguments
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def own_base(image: Image) -> str | None:
    """Return the Debian release of a base that containers/base/build.sh makes, else None.

    ``sagedock/base:bookworm-py3.11`` gives ``bookworm``.
    """
    if not image.base.startswith(_OWN_BASE):
        return None
    return image.base.removeprefix(_OWN_BASE).partition("-")[0]


def build_command(
    image: Image,
    *,
    builder: Builder,
    root: Path,
    id_file: Path,
    secrets: Mapping[str, Path],
    environ: Mapping[str, str],
    labels: Mapping[str, str],
    no_cache: bool = False,
    no_network: bool = False,
) -> tuple[str, ...]:
    """Return the command that builds ``image`` with ``root`` as its context.

    ``secrets`` maps each secret's id to its file; ``id_file`` receives the image's id.
    """
    args = {"BASE": image.base, **device_args(image), **image.args}
    return (
        *builder.argv,
        *("--platform", f"linux/{ARCHITECTURE}", "--progress", "plain", "--iidfile", str(id_file)),
        *("--file", str(root / "containers" / image.dockerfile), "--target", image.target),
        *_each("--build-arg", (f"{key}={value}" for key, value in args.items())),
        *_each("--build-arg", (name for name in _PROXIES if name in environ)),
        *_each("--label", (f"{key}={value}" for key, value in labels.items())),
        *_each("--secret", (f"id={key},src={path}" for key, path in secrets.items())),
        *(("--no-cache",) if no_cache else ()),
        *(("--network", "none") if no_network else ()),
        *("--tag", image.reference, str(root)),
    )


def _each(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)
