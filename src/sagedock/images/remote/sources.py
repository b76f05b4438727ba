"""The files that go to AWS: what git tracks, and what it would."""

import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from sagedock.errors import InvalidRequest
from sagedock.images.preflight.secrets import secrets_in

__all__ = ["Source", "project_sources"]

#: What CodeBuild looks for, and what that calls.
_NEEDED = ("buildspec.yml", "Makefile")
#: Files whose names say that they hold secrets.
_SECRET_NAMES = (
    *(".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "credentials", "credentials.json"),
    *(".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass", ".htpasswd"),
)
#: Names of templates, which hold none.
_TEMPLATES = (".env.example", ".env.sample", ".env.template")
_LOOKED_INTO = 4 * 1024 * 1024
#: Seconds that git has to list the files.
_GIT_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file of the project: ``name`` is its path from the root, with slashes."""

    name: str
    path: Path
    size: int
    executable: bool


def project_sources(root: Path, *, allowed: Sequence[str] = ()) -> tuple[Source, ...]:
    """Return the files that git tracks below ``root``, and those that it neither tracks nor
    ignores, sorted.

    Raises InvalidRequest with every problem: no work tree, no buildspec.yml, links, submodules,
    files that look like secrets and are not ``allowed`` by name.
    """
    names = _listed(root)
    problems: list[str] = []
    found: list[Source] = []
    for name in names:
        path = root / name
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):  # tracked, and gone from the work tree
            continue
        if problem := _kind_problem(root, status, name):
            problems.append(problem)
            continue
        if name not in allowed:
            problems += _secret_problems(path, name)
        executable = bool(status.st_mode & stat.S_IXUSR)
        found.append(Source(name=name, path=path, size=status.st_size, executable=executable))
    problems += _absent(root, {each.name for each in found}, allowed)
    if problems:
        raise InvalidRequest(problems)
    return tuple(found)


def _absent(root: Path, names: set[str], allowed: Sequence[str]) -> Iterator[str]:
    for name in _NEEDED:
        if name not in names:
            yield f"{root}: has no file {name} that git does not ignore: CodeBuild starts from it"
    for name in allowed:
        if name not in names:
            yield f"--allow-file: {name} is no file of the project: give its path from {root}"


def _listed(root: Path) -> tuple[str, ...]:
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, check=True, timeout=_GIT_S
        )
    except FileNotFoundError:
        raise InvalidRequest(
            ["git: is not on PATH: install it; it tells which files are the project's"]
        ) from None
    except subprocess.TimeoutExpired:
        raise InvalidRequest(
            [
                f"{root}: git did not list its files within {_GIT_S:g} s: ignore large folders in "
                ".gitignore, and see what `git status` takes there"
            ]
        ) from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise InvalidRequest(
            [
                f"{root}: is no work tree of git's ({said}): git tells which files are the "
                "project's; run `git init` there"
            ]
        ) from None
    return tuple(sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name}))


def _kind_problem(root: Path, status: os.stat_result, name: str) -> str | None:
    if not _is_text(name):
        return f"{name!a}: is a name that a zip cannot have: rename or ignore it"
    if link := _link_above(root, name):
        return (
            f"{name}: lies behind the link {link} to {(root / link).readlink()}: put the folder "
            f"itself there, or have git forget the file: git rm --cached {name}"
        )
    if stat.S_ISLNK(status.st_mode):
        to = (root / name).readlink()
        return f"{name}: is a link to {to}: put the file itself there, or ignore it"
    if stat.S_ISDIR(status.st_mode):
        return f"{name}: is a repository of its own, whose files would not go along: ignore it"
    if not stat.S_ISREG(status.st_mode):
        return f"{name}: is no plain file: remove or ignore it"
    return None


def _link_above(root: Path, name: str) -> PurePosixPath | None:
    """Return the folder of a file that is a link by now: git tracks what was there before."""
    folders = reversed(PurePosixPath(name).parents[:-1])
    return next((each for each in folders if (root / each).is_symlink()), None)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8
        return False
    return True


def _secret_problems(path: Path, name: str) -> Iterator[str]:
    last = PurePosixPath(name).name
    remedy = f"ignore it in .gitignore, or send it with --allow-file {name}"
    if last not in _TEMPLATES and any(fnmatch(last, each) for each in _SECRET_NAMES):
        yield f"{name}: its name says that it holds secrets: {remedy}"
        return
    try:
        with path.open("rb") as file:
            content = file.read(_LOOKED_INTO)
    except OSError as error:
        yield f"{name}: cannot be read ({error.strerror}): make it readable, or ignore it"
        return
    for what in secrets_in(name, content):
        yield f"{name}: holds {what}: {remedy}"
