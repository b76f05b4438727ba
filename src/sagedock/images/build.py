"""An image, built: its base, its packages, then its Dockerfile."""

import os
import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sagedock.errors import BuildFailed, StorageError
from sagedock.images.builder import Builder, find_builder, probe
from sagedock.images.image import Image
from sagedock.images.plan import build_command, own_base
from sagedock.images.wheels import gather

__all__ = ["build_image"]

Progress = Callable[[str], None]

_TAIL_LINES = 25
#: The line with which BuildKit opens a step: ``#9 [builder 2/4] RUN ...``.
_STEP = re.compile(r"#\d+ \[(?!internal)(?P<stage>[^\]]*)\] (?P<words>.*)")
_STEP_CHARACTERS = 90
#: The Debian release of our own base: its mirror is told to builds from other bases, too.
_RELEASE = "bookworm"
#: Where programs look for a certificate bundle of one's own.
_CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def build_image(
    image: Image,
    *,
    root: Path,
    progress: Progress,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Build ``image`` and tag it ``image.reference``; return its id, ``sha256:...``.

    ``root`` is the folder that holds ``containers/``. ``progress`` receives a line for each step;
    the whole output goes to ``root/build/logs/NAME.log``. Raises BuildFailed with its last lines.
    """
    builder = find_builder(environ)
    containers = root / "containers"
    log = _empty_log(root / "build" / "logs" / f"{image.name}.log")
    if codename := own_base(image):
        base = (str(containers / "base" / "build.sh"), image.base, codename)
        _run(base, {**environ, "DOCKER": builder.docker}, log, progress)
    if image.locks:
        gather(image, containers, progress)
    with tempfile.TemporaryDirectory(prefix="sagedock-build-") as private:
        return _build(image, builder, root, Path(private), log, progress, environ)


def _build(
    image: Image,
    builder: Builder,
    root: Path,
    private: Path,
    log: Path,
    progress: Progress,
    environ: Mapping[str, str],
) -> str:
    id_file = private / "id"
    command = build_command(
        image,
        builder=builder,
        root=root,
        id_file=id_file,
        secrets=_secrets(image, root / "containers", private, environ),
        environ=environ,
    )
    progress(f"{image.name}: building {image.reference}")
    steps = _StepLines(image.name, progress)
    _run(command, {**environ, **builder.environment}, log, steps)
    return id_file.read_text(encoding="utf-8").strip()


def _secrets(
    image: Image, containers: Path, private: Path, environ: Mapping[str, str]
) -> dict[str, Path]:
    """Return what a build needs of this machine, and what no layer may hold: id to file."""
    secrets = {}
    for path in (Path(environ[name]) for name in _CA_VARIABLES if environ.get(name)):
        if path.is_file():
            secrets["ca_bundle"] = path
            break
    # An image that starts from one of ours has the release of that one's base.
    codename = own_base(image) or _RELEASE
    mirror = probe([str(containers / "base" / "mirror.sh"), codename])
    if mirror:
        secrets["apt_sources"] = private / "apt_sources"
        secrets["apt_sources"].write_text(f"deb {mirror} {codename} main\n", encoding="utf-8")
    return secrets


class _StepLines:
    """Passes on the lines that open a BuildKit step, each once."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._seen: set[str] = set()

    def __call__(self, line: str) -> None:
        found = _STEP.fullmatch(line)
        if found is None or found["stage"] in self._seen:
            return
        self._seen.add(found["stage"])
        words = re.sub(r"--\w+=\S+\s+", "", found["words"])
        self._progress(f"{self._name}: [{found['stage']}] {words}"[:_STEP_CHARACTERS])


def _empty_log(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error}): make it writable") from error
    return path


def _run(argv: Sequence[str], environ: Mapping[str, str], log: Path, each: Progress) -> None:
    """Run a command, its lines to ``log`` and ``each``; raise BuildFailed if it fails."""
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    process = subprocess.Popen(
        argv,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process, log.open("a", encoding="utf-8") as whole:
        for line in process.stdout or ():
            whole.write(line)
            tail.append(line)
            each(line.rstrip("\n"))
    if process.returncode:
        raise BuildFailed(
            f"{Path(argv[0]).name} failed (exit {process.returncode}); the whole output is in "
            f"{log}; its last lines:\n{''.join(tail)}"
        )
