"""How SageMaker starts the image: its program, its user, /opt/ml, its labels, its manifest."""

import re
from collections.abc import Iterator, Sequence
from posixpath import basename

from sagedock.contract import labels, paths
from sagedock.contract.accelerators import Use
from sagedock.engine import Image
from sagedock.images.preflight import sources
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict

__all__ = ["program_started", "start_rows"]

_EXECUTABLE = 0o111
_SHELLS = ("sh", "bash", "dash")
_ARGUMENT: dict[Use, str] = {
    "training": "train",
    "serving": "serve",
    "transform": "serve",
    "processing": "",
}
_DOCUMENTED: dict[Use, str] = {
    "training": sources.TRAINING_DOCKERFILE,
    "serving": sources.SERVING_DOCKERFILE,
    "transform": sources.SERVING_DOCKERFILE,
    "processing": sources.PROCESSING_DOCKERFILE,
}
_SHOWN = 3
_OCI = "application/vnd.oci."
_TRUE_LABELS = (labels.ACCEPTS_PORT, labels.SERVES_MANY)


def start_rows(image: Image, facts: ImageFacts, use: Use) -> Iterator[Row]:
    """Yield the rows about how it is started for ``use``."""
    yield _entrypoint(facts, use)
    if use == "training":
        yield _sdk_v3(facts)
    yield _user(facts, use)
    yield from _reserved(facts, use)
    yield _labels(facts, use)
    yield from _manifest(image, use)


def program_started(facts: ImageFacts, use: Use) -> str | None:
    """Return the path of the program that SageMaker starts for ``use``, None where none is there.

    Of a job that names its program itself, as processing jobs may, it is the image's own.
    """
    words = _words(facts, use)
    program = _past_env(words) if words else None
    return facts.program(program) if program else None


def _words(facts: ImageFacts, use: Use) -> list[str]:
    argument = _ARGUMENT[use]
    return [*_list(facts, "Entrypoint"), *([argument] if argument else _list(facts, "Cmd"))]


def _entrypoint(facts: ImageFacts, use: Use) -> Row:
    argument = _ARGUMENT[use]
    verdict, found, remedy = _started(facts, _words(facts, use), _list(facts, "Entrypoint"))
    return Row(
        check="entrypoint",
        verdict=verdict,
        found=found,
        needed=f"docker run IMAGE {argument}".rstrip() + " starts a program that is there",
        source=_DOCUMENTED[use],
        remedy=remedy,
    )


def _started(
    facts: ImageFacts, words: Sequence[str], entrypoint: Sequence[str]
) -> tuple[Verdict, str, str]:
    if not words:
        return Verdict.FAILS, "neither ENTRYPOINT nor CMD", "give the image an ENTRYPOINT"
    said = " ".join(words)[:80]
    program = _past_env(words)
    if program is None:
        return Verdict.CANNOT_SAY, f"`{said}`", ""
    path = facts.program(program)
    if path is None:
        return (
            Verdict.FAILS,
            f"`{said}`: there is no {program} on PATH",
            f"COPY a program {program} to /usr/local/bin, executable; or set ENTRYPOINT",
        )
    if problem := _not_startable(facts, path):
        return Verdict.FAILS, f"`{said}`: /{path} {problem[0]}", problem[1]
    if _is_shell_form(entrypoint):
        return (
            Verdict.WARNS,
            f"`{said}`: ENTRYPOINT is in shell form",
            'write it as a list, ENTRYPOINT ["program"]: a shell keeps SIGTERM, and the argument, '
            "from the program",
        )
    if basename(program) == "tini":
        return Verdict.WARNS, f"`{said}`", "AWS's page says not to use tini as the entrypoint"
    return Verdict.OK, f"`{said}`: /{path}", ""


def _past_env(words: Sequence[str]) -> str | None:
    """Return the program that ``env`` starts, or the first word."""
    if basename(words[0]) != "env":
        return words[0]
    rest = [word for word in words[1:] if word != "--" and not re.match(r"\w+=", word)]
    return rest[0] if rest and not rest[0].startswith("-") else None


def _not_startable(facts: ImageFacts, path: str) -> tuple[str, str] | None:
    entry = facts.files.entries[path]
    if not entry.mode & _EXECUTABLE:
        return "is not executable", f"RUN chmod 0755 /{path}"
    if not entry.size:
        return "is empty", "copy the program itself"
    shebang = entry.text
    if not shebang.startswith(b"#!"):
        return None
    if shebang.endswith(b"\r"):
        return "has line ends of Windows in its first line", "save it with line feeds alone"
    words = shebang[2:].decode("utf-8", "replace").split()
    interpreter = _past_env(words) if words else None
    if interpreter and facts.program(interpreter) is None:
        return f"needs {interpreter}, which is not there", f"install {interpreter}"
    return None


def _is_shell_form(entrypoint: Sequence[str]) -> bool:
    return len(entrypoint) > 1 and basename(entrypoint[0]) in _SHELLS and entrypoint[1] == "-c"


def _sdk_v3(facts: ImageFacts) -> Row:
    absent = [
        "/".join(names)
        for names in (("bash",), ("python3", "python"), ("pip3", "pip"))
        if not any(map(facts.program, names))
    ]
    return Row(
        check="SDK v3",
        verdict=Verdict.WARNS if absent else Verdict.OK,
        found=f"no {', no '.join(absent)}" if absent else "bash, Python and pip",
        needed="bash, Python and pip on PATH, for ModelTrainer of the SageMaker SDK v3",
        source=sources.SDK_V3,
        remedy="install them, unless the SDK v3 is not used" if absent else "",
    )


def _user(facts: ImageFacts, use: Use) -> Row:
    user = str(facts.settings.get("User") or "root")
    root = user.partition(":")[0] in ("root", "0")
    return Row(
        check="user",
        verdict=Verdict.OK if root else Verdict.WARNS,
        found=user,
        needed="root, as AWS's page expects of all containers",
        source=sources.SERVING_DOCKERFILE if use == "training" else _DOCUMENTED[use],
        remedy="" if root else "take USER out: folders that the platform mounts are root's",
    )


def _reserved(facts: ImageFacts, use: Use) -> Iterator[Row]:
    below = sorted(facts.files.below(paths.RESERVED.path))
    if not below:
        return
    code = any(facts.files.below(paths.CODE.path))
    ignored = (
        f"; the training toolkit ignores a job's source where {paths.CODE} is not empty"
        if code and use == "training"
        else ""
    )
    yield Row(
        check=paths.RESERVED.path,
        verdict=Verdict.WARNS,
        found=f"{len(below)} files: {', '.join(f'/{each}' for each in below[:_SHOWN])}",
        needed="nothing: the platform mounts its own folders there",
        source=paths.RESERVED.source,
        remedy=f"keep them elsewhere: they may be hidden when the container runs{ignored}",
    )


def _labels(facts: ImageFacts, use: Use) -> Row:
    """Yield the capability labels: what they say must be ``true``, or they count as absent."""
    told = {name: facts.labels[name] for name in _TRUE_LABELS if name in facts.labels}
    wrong = {name: value for name, value in told.items() if value != labels.SAYS_YES}
    serving = use in ("serving", "transform")
    about = [each for each in sorted(facts.labels) if each.startswith("org.opencontainers.")]
    found = [f"{name}={value}" for name, value in told.items()] or (
        ["no capability"] if serving else []
    )
    return Row(
        check="labels",
        verdict=Verdict.FAILS if wrong else Verdict.OK,
        found=", ".join([*found, f"{len(about)} of OCI's"]),
        needed=f"capabilities are {labels.SAYS_YES!r}; without them an image serves alone, and one "
        "model"
        if serving
        else "none",
        source=sources.MULTI_CONTAINER if serving else sources.OCI_LABELS,
        remedy=f"set {', '.join(wrong)} to {labels.SAYS_YES!r}" if wrong else "",
    )


def _manifest(image: Image, use: Use) -> Iterator[Row]:
    if image.media_type is None or use not in ("serving", "transform"):
        return
    oci = image.media_type.startswith(_OCI)
    yield Row(
        check="manifest",
        verdict=Verdict.FAILS if oci else Verdict.OK,
        found=image.media_type,
        needed="Docker's own: CreateModel refuses OCI's",
        source=sources.OCI_MANIFESTS,
        remedy="build with --provenance=false --sbom=false --output type=docker,"
        "oci-mediatypes=false"
        if oci
        else "",
    )


def _list(facts: ImageFacts, key: str) -> list[str]:
    return [str(each) for each in facts.settings.get(key) or ()]
