"""buildspec.yml, read and carried out as CodeBuild does.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html and
view-build-details.html: a phase ends with its first command that fails; after a build phase that
failed comes post_build all the same, after any other that failed comes none.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


def buildspec(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "buildspec.yml").read_text(encoding="utf-8"))
    return found


@dataclass
class Built:
    """What came of a build: whether it succeeded, and each command with its exit code."""

    succeeded: bool = True
    commands: list[tuple[str, int]] = field(default_factory=list)
    output: str = ""


def carried_out(root: Path, environ: Mapping[str, str], *, timeout_s: float) -> Built:
    """Carry out the buildspec of ``root`` in it; ``environ`` comes before its own variables."""
    spec, built = buildspec(root), Built()
    variables = {**spec["env"]["variables"], **environ}
    for phase in PHASES:
        if not _phase(spec, phase, root, variables, built, timeout_s) and phase != "build":
            break
    return built


def _phase(
    spec: Mapping[str, Any],
    phase: str,
    root: Path,
    variables: Mapping[str, str],
    built: Built,
    timeout_s: float,
) -> bool:
    for command in spec["phases"].get(phase, {}).get("commands", ()):
        done = subprocess.run(
            [spec["env"]["shell"], "-c", command],
            cwd=root,
            env={**variables, "CODEBUILD_BUILD_SUCCEEDING": str(int(built.succeeded))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        built.commands.append((command, done.returncode))
        built.output += done.stdout
        if done.returncode:
            built.succeeded = False
            return False
    return True
