"""The programs of scripts/, run as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a home of its own, and nothing of this one's AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"HOME": str(tmp_path), "SAGEDOCK_HOME": str(tmp_path / "sagedock")}


def run_script(name: str, tmp_path: Path, *arguments: str) -> str:
    """Run a program that is to succeed; return what it prints."""
    done = _done(name, tmp_path, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def failed_script(name: str, tmp_path: Path, *arguments: str) -> str:
    """Run a program that is to fail, without a traceback; return what it says."""
    done = _done(name, tmp_path, *arguments)
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def _done(name: str, tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / name), *arguments],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
