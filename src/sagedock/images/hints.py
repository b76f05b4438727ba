"""What to do about a build's failure that this project itself brings about."""

import re
from pathlib import Path

from docker.utils.build import PatternMatcher

__all__ = ["hint"]

_NO_PACKAGE = re.compile(
    r"E: (?:Unable to locate package|Package .* has no installation candidate)"
)
#: The older BuildKit, and the newer one, which has the colon.
_NOT_IN_CONTEXT = re.compile(r"\"/(?P<path>[^\"]+)\":? not found")
_APT_INSTALL = "containers/base/apt-install.sh"


def hint(failure: str, *, root: Path, dockerfile: Path) -> str:
    """Return what to do about a failure, told as the step, its instruction and what it said; ''
    where it is none of ours. ``root`` is the build's context.
    """
    if _NO_PACKAGE.search(failure):
        return _of_apt(failure.partition("\n")[0])
    found = _NOT_IN_CONTEXT.search(failure)
    if found and not _of_a_stage(found["path"], dockerfile):
        return _of_context(found["path"], root, dockerfile)
    return ""


def _of_apt(step: str) -> str:
    if Path(_APT_INSTALL).name in step:
        return "the sources of apt have no such package: correct its name, or name another mirror"
    return (
        "apt knows no such package, as images of sagedock hold no sources of apt: install it with "
        f"{_APT_INSTALL} and its two secrets (docs/how-to/add-an-image.md); on another base, "
        "`apt-get update` in the same RUN, and correct its name"
    )


def _of_a_stage(name: str, dockerfile: Path) -> bool:
    """Say whether a file of that name may be one of another stage, which steps do not tell."""
    text = dockerfile.read_text(encoding="utf-8", errors="replace") if dockerfile.is_file() else ""
    lines = re.sub(r"\\[ \t]*\n", " ", text).splitlines()
    return any(name in line and re.search(r"\bfrom=", line) for line in lines)


def _of_context(name: str, root: Path, dockerfile: Path) -> str:
    """Return what to do where a file of the project is kept out of the context."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")  # it comes before the other
    ignore = own if own.is_file() else root / ".dockerignore"
    if not ignore.is_file() or not (root / name).exists():
        return ""
    lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    if not PatternMatcher(patterns).matches(name):
        return ""
    return (
        f"{name} is in the project, but {ignore} keeps it out of the build: add the line `!{name}` "
        "there, or put the file where the build sees it, such as below containers/"
    )
