"""An image's labels: what it is, what it was built from, and the versions inside it.

The time of the build is no label: it would give the same image another id each time.
"""

import os
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from docker.utils.build import PatternMatcher

from sagedock.images.arguments import declared_labels
from sagedock.images.git import git_output
from sagedock.images.image import Image
from sagedock.images.plan import own_base
from sagedock.images.wheels import gathered_lock

__all__ = ["LABEL", "image_labels", "revision", "source_url"]

#: The label that every image of ours carries; its value is the image's name.
LABEL = "sagedock.image"
#: https://github.com/opencontainers/image-spec/blob/main/annotations.md
_OCI = "org.opencontainers.image."
#: What a Dockerfile may say of its image: that stays.
_OF_DOCKERFILES = ("title", "description", "licenses")
_TORCH = re.compile(r"(?m)^torch={2,3}(?P<version>[^\s;\\]+)")


def image_labels(
    image: Image, root: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the labels of an image that is built from ``root``; those of images.toml come last.

    What is not known is left out: source and revision outside of a work tree of git's, where
    $SAGEDOCK_REVISION may tell the latter; description and licences that the Dockerfile does not
    give. An image that starts from another one has them empty then: it would have that one's.
    """
    commit = revision(root, f"containers/{image.dockerfile}") or environ.get("SAGEDOCK_REVISION")
    unknown = "" if own_base(image) is None else None
    known = {
        LABEL: image.name,
        "sagedock.kind": image.kind,
        "sagedock.device": image.device,
        "sagedock.python": image.python,
        "sagedock.torch": _torch(image, root / "containers"),
        "sagedock.cuda": image.cuda,
        "sagedock.neuron": image.neuron,
        f"{_OCI}title": image.name,
        f"{_OCI}description": unknown,
        f"{_OCI}licenses": unknown,
        f"{_OCI}base.name": image.base,
        f"{_OCI}version": version("sagedock"),
        f"{_OCI}source": source_url(git_output(root, "remote", "get-url", "origin")) or unknown,
        f"{_OCI}revision": commit or unknown,
    }
    its = {f"{_OCI}{name}" for name in _OF_DOCKERFILES} & _declared(root / "containers", image)
    told = {key: value for key, value in known.items() if value is not None and key not in its}
    return {**told, **image.labels}


def _declared(containers: Path, image: Image) -> frozenset[str]:
    file = containers / image.dockerfile
    if not file.is_file():
        return frozenset()  # the docker client says so
    return declared_labels(file.read_text(encoding="utf-8", errors="replace"))


def source_url(remote: str | None) -> str | None:
    """Return a remote of git's without user, password and token; None for one of this
    machine, and where another program than git speaks to it.
    """
    if not remote or "::" in remote.partition("/")[0]:  # a helper's: `codecommit::REGION://...`
        return None
    try:
        parts = urlsplit(remote)
    except ValueError:  # a bracket that is not closed
        return None
    if parts.scheme in ("http", "https", "ssh", "git") and parts.hostname:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    found = re.fullmatch(r"(?:[^@/:]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)", remote)
    return f"ssh://{found['host']}/{found['path']}" if found else None


def revision(root: Path, dockerfile: str) -> str | None:
    """Return the commit that ``root`` has checked out, with ``-dirty`` where the Dockerfile or a
    file that .dockerignore lets a build see differs from it; None outside of a work tree.
    """
    commit = git_output(root, "rev-parse", "HEAD")
    changed = git_output(root, "status", "--porcelain", "-z", "--untracked-files=all", "--", ".")
    if not commit or changed is None:
        return None
    prefix = git_output(root, "rev-parse", "--show-prefix") or ""
    ignored = _ignored(root)
    paths = [path.removeprefix(prefix) for path in _paths(changed)]
    dirty = dockerfile in paths or any(not ignored.matches(path) for path in paths)
    return f"{commit}-dirty" if dirty else commit


def _paths(status: str) -> list[str]:
    """Return the paths of ``git status --porcelain -z``; of a file that moved, both."""
    entries = (entry for entry in status.split("\0") if entry)
    return [entry[3:] if re.match(r"[ MTADRCU?!]{2} ", entry) else entry for entry in entries]


def _ignored(root: Path) -> PatternMatcher:
    file = root / ".dockerignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return PatternMatcher([line for line in lines if line.strip() and not line.startswith("#")])


def _torch(image: Image, containers: Path) -> str | None:
    """Return the version of PyTorch that the packages of an image have, where they have it."""
    found = _TORCH.search(gathered_lock(image, containers))
    return found["version"] if found else None
