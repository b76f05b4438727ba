"""The registry that keeps images: Debian's ``docker-registry``, on a socket of this home's.

It is started when it is first needed, knows repositories and layers, and nobody but this server can
reach it. Who may push, tags and regions are the affair of ``data_plane``.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagedock.errors import LocalServerError, StorageError

__all__ = ["NO_PROGRAM", "RegistryProcess", "find_program"]

#: Debian's name for it, and the project's own.
_PROGRAMS = ("docker-registry", "registry")
#: Runs the registry until it ends, or until standard input does: also when this process is killed.
_WITH_US = (
    'exec 3<&0; "$@" </dev/null & registry=$!; '
    '(cat <&3 >/dev/null; kill "$registry" 2>/dev/null) & watch=$!; '
    'wait "$registry"; code=$?; kill "$watch" 2>/dev/null; exit "$code"'
)
#: What the registry has of one repository. Source: its package registry/storage, file paths.go
_PARTS = ("_layers", "_manifests", "_uploads")
_START_S = 30.0
_STOP_S = 10.0
_POLL_S = 0.01
#: What the kernel takes as a socket's path, with its zero byte.
_LONGEST_SOCKET = 107
_TAIL_CHARACTERS = 600
NO_PROGRAM = (
    "the local ECR keeps images with the program docker-registry, which is not on PATH: install it "
    "(Debian and Ubuntu: `apt-get install docker-registry`, or `make registry` in a checkout; "
    "elsewhere the program `registry` of https://github.com/distribution/distribution, version 2.8)"
)


def find_program(path: str | None = None) -> str | None:
    """Return the registry's program on PATH (or ``path``), else beside Python's; or None."""
    folders = (path, str(Path(sys.executable).parent))
    found = (shutil.which(name, path=each) for each in folders for name in _PROGRAMS)
    return next(filter(None, found), None)


class RegistryProcess:
    """The process, and its folder; ``find`` returns its program. Safe to use from any thread."""

    def __init__(
        self, folder: Path, secret: str, find: Callable[[], str | None] = find_program
    ) -> None:
        self._folder = folder
        self._find = find
        self._secret = secret
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._ended = False

    @property
    def socket(self) -> str:
        """The path of its socket, by a way that is short enough for the kernel."""
        path = str(self._folder / "socket")
        if len(os.fsencode(path)) <= _LONGEST_SOCKET:
            return path
        if self._descriptor is None:
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}/socket"

    def ensure(self) -> str:
        """Return its socket, once it answers there; it is started if it does not run.

        Raises LocalServerError where the program is absent or ends at once.
        """
        with self._lock:
            if self._ended:
                raise LocalServerError("the local SageMaker is ending: it takes no images any more")
            if self._process is None or self._process.poll() is not None:
                self._start()
            return self.socket

    def forget(self, region: str, repository: str, digest: str | None = None) -> None:
        """Forget an image, or a whole repository. Layers that no other image has are removed before
        the registry starts next: it must not run meanwhile.
        """
        repositories = self._folder / "storage" / "docker" / "registry" / "v2" / "repositories"
        whole = repositories / region / repository
        revisions = whole / "_manifests" / "revisions" / "sha256"
        kept = [whole / name for name in _PARTS]  # beside them may lie other repositories
        for each in kept if digest is None else [revisions / digest.removeprefix("sha256:")]:
            if each.is_dir():
                (self._folder / "garbage").touch()
                shutil.rmtree(each, ignore_errors=True)

    def stop(self) -> None:
        """End it, if it runs, for good."""
        with self._lock:
            self._ended = True
            self._end()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _start(self) -> None:
        program = self._find()
        if program is None:
            raise LocalServerError(NO_PROGRAM)
        self._end()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / "socket").unlink(missing_ok=True)
            (self._folder / "config.yml").write_text(json.dumps(self._config()), encoding="utf-8")
            log = (self._folder / "registry.log").open("wb")
        except OSError as error:
            raise StorageError(
                f"{self._folder}: {error}: free the disk, or make it writable"
            ) from error
        with log:
            self._remove_garbage(program, log)
            # By `sh` and not alone: it ends with this process, however that ends. Not of our
            # session: Ctrl-C is for us, and we end it when nothing needs it any more.
            self._process = subprocess.Popen(
                ["sh", "-c", _WITH_US, "sh", program, "serve", "config.yml"],
                cwd=self._folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_answer(self._process)

    def _await_answer(self, process: "subprocess.Popen[bytes]") -> None:
        ends = time.monotonic() + _START_S
        while process.poll() is None and time.monotonic() < ends:
            if _answers(self.socket):
                return
            time.sleep(_POLL_S)
        said = (self._folder / "registry.log").read_text(encoding="utf-8", errors="replace")
        self._end()
        raise LocalServerError(
            f"docker-registry does not answer; its log {self._folder / 'registry.log'} ends with: "
            f"{said[-_TAIL_CHARACTERS:].strip() or 'nothing'}"
        )

    def _remove_garbage(self, program: str, log: Any) -> None:
        mark = self._folder / "garbage"
        if not mark.exists():
            return
        done = subprocess.run(
            [program, "garbage-collect", "config.yml"],
            cwd=self._folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
        if done.returncode == 0:
            mark.unlink()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _config(self) -> dict[str, Any]:
        """Return its configuration: JSON is YAML. Source:
        https://distribution.github.io/distribution/about/configuration/
        """
        return {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._folder / "storage")},
                "delete": {"enabled": True},
            },
            "http": {
                "net": "unix",
                "addr": "socket",
                "secret": self._secret,
                "relativeurls": True,
            },
        }


def _environment() -> dict[str, str]:
    """Return our environment without what would change the registry's configuration."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REGISTRY_", "OTEL_"))
    }


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
