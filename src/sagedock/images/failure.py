"""What BuildKit prints, read for a failure: which step it was, and what that said."""

import re
from collections import deque
from dataclasses import dataclass, field

from sagedock.images.steps import begun

__all__ = ["BuildLog", "remedy_for"]

#: How the stage ends of what BuildKit does by itself: ``[internal] load metadata for ...``.
_INTERNAL = "internal"
#: How the stage of the Dockerfile's own steps ends, ``builder 2/4``.
_PLACE = re.compile(r"(?:.*\s)?\d+/\d+")
_ERROR = re.compile(r"#(?P<number>\d+) ERROR: (?P<words>.*)")
_SAID = re.compile(r"#(?P<number>\d+) \d+\.\d+ (?P<words>.*)")
#: The last line of a failed build; buildx begins it with ``ERROR:``.
_UNSOLVED = re.compile(r"(?:ERROR: |error: )?(?P<words>failed to solve.*|executor failed.*)")
_KEPT_LINES, _LINE_CHARACTERS = 25, 500
#: How compilers and other programs begin what went wrong; a traceback after it may be long.
_SAYS_ERROR = re.compile(r"(?:^|[\s:)])(?:fatal )?error:\s", re.IGNORECASE)
_FIRST_ERRORS = 5

#: What engines say of a registry that they did not reach.
_NOT_REACHED = (
    "no such host",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "handshake timeout",
    "deadline exceeded",
    "client.timeout",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "proxyconnect",
)
_NO_SUCH_IMAGE = (
    "the engine has no such image, and no registry gave it: build it first, correct its name "
    "(in `base` or `args` of images.toml, or after FROM), or log in, with --login-registry to "
    "ECR's"
)
_NO_REGISTRY = (
    "the registry was not reached: where its name is right, see to the engine's network, name "
    "server and proxy"
)
_BUNDLE = "name your bundle in SSL_CERT_FILE"
_UNTRUSTED = f"a certificate is not trusted: {_BUNDLE}"
_NO_BUNDLE = (
    "a certificate is not trusted, and this step has no bundle of yours: mount the secret "
    "`ca_bundle` in it (docs/how-to/private-index-and-certificates.md shows how), and "
    f"{_BUNDLE} where none is named yet"
)
#: What mounts it in a step.
_MOUNTED = re.compile(r"--mount=\S*\bid=ca_bundle\b")

#: What a failure says, and what to do. The first that fits is told.
_REMEDIES = (
    (
        ("no space left on device", "disk quota exceeded"),
        "the engine's disk is full: free it with `docker image prune`, `docker builder prune`, or "
        "`docker system df` to see what takes it",
    ),
    (
        ("exec format error",),
        "a program of another architecture: the base image must be for linux/amd64",
    ),
    (
        ("no basic auth credentials", "401 unauthorized"),
        "a registry refuses: log in with `docker login`, or with --login-registry to ECR's",
    ),
    (
        ("load metadata for", "failed to resolve source", "manifest unknown"),
        _NO_SUCH_IMAGE,
    ),
    (
        (
            "temporary failure resolving",
            "could not resolve",
            "no such host",
            "temporary failure in",
        ),
        "the network, or a name server, does not answer in the build: gather what it needs before, "
        "or name a mirror (docs/how-to/private-index-and-certificates.md)",
    ),
    (
        ("certificate verify failed", "certificate signed by unknown", "certificate verification"),
        _UNTRUSTED,
    ),
    (
        ("authorization failed", "access denied"),
        "a registry refuses: log in with `docker login`, or with --login-registry to ECR's",
    ),
    (
        ("failed to compute cache key", "failed to calculate checksum"),
        "a COPY names what the context lacks: look at the path, and at .dockerignore",
    ),
)


def remedy_for(said: str) -> str:
    """Return what to do about a failure that says this, '' where nothing is known."""
    low = said.lower()
    found = next((remedy for words, remedy in _REMEDIES if any(word in low for word in words)), "")
    if found == _NO_SUCH_IMAGE and any(word in low for word in _NOT_REACHED):
        return f"{found}; {_NO_REGISTRY}"
    return found


@dataclass
class _Step:
    """A step: its stage, ``builder 2/4``, its instruction, the last lines that it printed, and the
    first that tell an error; ``has_bundle`` says that it mounts the secret ``ca_bundle``.
    """

    stage: str
    words: str
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    errors: list[str] = field(default_factory=list)
    error: str = ""
    has_bundle: bool = False

    @property
    def is_dockerfiles(self) -> bool:
        return _PLACE.fullmatch(self.stage) is not None

    @property
    def is_internal(self) -> bool:
        return self.stage.endswith(_INTERNAL)


class BuildLog:
    """Takes the lines of ``--progress plain``, of the classic client's BuildKit and of buildx."""

    def __init__(self) -> None:
        self._steps: dict[str, _Step] = {}
        self._tail: deque[str] = deque(maxlen=_KEPT_LINES)
        self._unsolved = ""

    def read(self, line: str) -> None:
        """Take a line."""
        line = line[:_LINE_CHARACTERS]
        self._tail.append(line)
        if step := begun(line):
            has = _MOUNTED.search(line) is not None
            new = _Step(stage=step.label, words=step.words, has_bundle=has)
            self._steps.setdefault(step.number, new)
        elif (found := _ERROR.fullmatch(line)) and found["number"] in self._steps:
            self._steps[found["number"]].error = found["words"]
        elif found := _SAID.fullmatch(line):
            self._heard(found["number"], found["words"])
        elif found := _UNSOLVED.fullmatch(line):
            self._unsolved = found["words"]

    def _heard(self, number: str, words: str) -> None:
        step = self._steps.get(number)
        if step is not None and not step.error:  # the classic client says it all again after that
            step.said.append(words)
            if _SAYS_ERROR.search(words) and len(step.errors) < _FIRST_ERRORS:
                step.errors.append(words)

    def _failed(self) -> _Step | None:
        return next((step for step in self._steps.values() if step.error), None)

    def failed_step(self) -> str | None:
        """Return the Dockerfile's step that failed, ``[builder 2/4] RUN ...``, None where none did:
        what BuildKit does by itself is none.
        """
        failed = self._failed()
        return f"[{failed.stage}] {failed.words}" if failed and failed.is_dockerfiles else None

    def failure(self) -> str:
        """Return what failed, in lines: the step, its instruction, and the end of what it said;
        where no step did, the end of the log.
        """
        failed = self._failed()
        if failed is None:
            return "\n".join(["its last lines:", *self._tail])
        what = f"step [{failed.stage}] failed: {failed.words}"
        if failed.is_internal:
            what = f"the engine could not {failed.words}"
        lines = [what, failed.error or self._unsolved]
        if earlier := [line for line in failed.errors if line not in failed.said]:
            lines += ["its first errors:", *earlier]
        if failed.said:
            lines += ["its last lines:", *failed.said]
        return "\n".join(lines)

    def remedy(self) -> str:
        """Return what to do, '' where that is not known."""
        failed = self._failed()
        if failed is None:
            return remedy_for("\n".join(self._tail))
        own = failed.words if failed.is_internal else ""
        found = remedy_for("\n".join([own, *failed.said, failed.error, self._unsolved]))
        lacks_bundle = failed.words.startswith("RUN ") and not failed.has_bundle
        return _NO_BUNDLE if found == _UNTRUSTED and lacks_bundle else found
