"""A small project with a matrix of its own, whose images are built by the command line."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["BASE", "Project", "project_in"]

BASE = "sagedock/base:bookworm-py3.11"
COMMAND = (sys.executable, "-m", "sagedock.cli", "build")
_TIMEOUT_S = 300


class Project:
    """A folder with ``containers/images.toml``; its images have a repository of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = f"build-test-{uuid.uuid4().hex[:12]}"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        (folder / "containers").mkdir()
        self._tables: list[str] = []

    def image(self, name: str, dockerfile: str, *, base: str = BASE, **fields: Any) -> str:
        """Add an image to the matrix, or put another in its place; return its reference."""
        known = {
            "name": name,
            "kind": "training",
            "device": "cpu",
            "dockerfile": f"{name}/Dockerfile",
            "target": "final",
            "repository": self.repository,
            "tag": name,
            "base": base,
            **fields,
        }
        self.file(
            f"containers/{name}/Dockerfile", f"ARG BASE\nFROM ${{BASE}} AS final\n{dockerfile}"
        )
        table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in known.items())
        self._tables = [each for each in self._tables if f'name = "{name}"\n' not in each]
        self._tables.append(f"[[image]]\n{table}\n")
        self.file("containers/images.toml", "\n".join(self._tables))
        return f"{self.repository}:{name}"

    def file(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def build(
        self, *words: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``sagedock build`` to its end."""
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=self.environ(environ),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )

    @contextmanager
    def begun(self, *words: str, **environ: str) -> "Iterator[subprocess.Popen[str]]":
        """Start ``sagedock build``; it is killed at the end, if it still runs."""
        with subprocess.Popen(
            [*COMMAND, *words],
            cwd=self.folder,
            env=self.environ(environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def environ(self, more: Mapping[str, str] | None) -> dict[str, str]:
        """Return this process's environment, with temporary files in the project."""
        return {**os.environ, "TMPDIR": str(self.temporary), **(more or {})}

    def remove_images(self) -> None:
        """Remove what was built, whatever its tag."""
        listed = subprocess.run(
            ["docker", "image", "ls", "--quiet", "--no-trunc", self.repository],
            capture_output=True,
            text=True,
            check=True,
        )
        if found := listed.stdout.split():
            subprocess.run(["docker", "image", "rm", "--force", *found], check=True)


@contextmanager
def project_in(folder: Path) -> Iterator[Project]:
    """Lend a project; its images are gone afterwards."""
    project = Project(folder)
    try:
        yield project
    finally:
        project.remove_images()
