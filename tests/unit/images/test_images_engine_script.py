"""engine.sh uses an engine that answers, starts one only where none runs, and ends only its own.

`docker` and `dockerd` are stand-ins: an engine "answers" while the file `answering` exists. What
the script sees of running programs is a process namespace of its own.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "containers" / "engine.sh"
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]

DOCKER = """#!/bin/bash
[[ -e $FAKE/answering ]] || exit 1
echo "1.2.3 (linux/amd64)"
"""
DOCKERD = """#!/bin/bash
while (($#)); do [[ $1 != --pidfile ]] || echo $$ >"$2"; shift; done
echo started >>"$FAKE/starts"
trap 'rm -f "$FAKE/answering"; exit 0' TERM
[[ -e $FAKE/mute ]] || touch "$FAKE/answering"
while :; do sleep 0.05; done
"""


def has_namespaces():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


needs_namespace = pytest.mark.skipif(
    not (has_namespaces() and Path("/etc/debian_version").exists()),
    reason="needs root on Debian, and a process namespace of its own",
)


@pytest.fixture
def run(tmp_path):
    """Run bash words beside the stand-ins; `E` is the script."""
    programs = tmp_path / "bin"
    programs.mkdir()
    stand_ins = {"docker": DOCKER, "dockerd": DOCKERD, "iptables": "", "debootstrap": ""}
    for name, text in stand_ins.items():
        (programs / name).write_text(text or "#!/bin/bash\n")
        (programs / name).chmod(0o755)

    def call(words, namespace=False, **variables):
        environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "FAKE": str(tmp_path),
            "E": str(SCRIPT),
            "SAGEDOCK_HOME": str(tmp_path / "home"),
            **variables,
        }
        command = [*(NAMESPACE if namespace else []), "bash", "-c", words]
        return subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    call.folder = tmp_path
    return call


def test_an_engine_that_answers_is_used(run):
    (run.folder / "answering").touch()
    done = run("$E")
    assert (done.returncode, done.stdout) == (0, "engine: Docker 1.2.3 (linux/amd64) answers\n")
    assert not (run.folder / "starts").exists()
    assert run("$E stop").stdout == "engine: no engine of ours is running\n"


def test_a_named_engine_that_is_silent_is_not_replaced(run):
    done = run("$E", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 1
    assert "DOCKER_HOST=unix:///nowhere.sock does not answer" in done.stderr
    assert not (run.folder / "starts").exists()


@needs_namespace
def test_one_is_started_once_and_stopped_by_its_pid(run):
    words = """
        $E && $E start && cat "$SAGEDOCK_HOME/engine/dockerd.pid" && $E stop; $E status
        cat /proc/[0-9]*/comm"""
    done = run(words, namespace=True)
    assert (run.folder / "starts").read_text() == "started\n"
    assert "engine: stopped" in done.stdout
    assert "no engine answers" in done.stderr
    assert "dockerd" not in done.stdout.splitlines()


@needs_namespace
def test_the_daemon_holds_nothing_of_its_caller_open(run):
    words = 'exec 7>"$FAKE/seven"; $E; ls -l /proc/$(<"$SAGEDOCK_HOME/engine/dockerd.pid")/fd'
    done = run(words, namespace=True)
    assert "engine: Docker 1.2.3" in done.stdout
    assert "/dockerd.log" in done.stdout
    assert "seven" not in done.stdout


@needs_namespace
def test_make_with_jobs_ends_although_the_daemon_it_started_runs_on(run):
    (run.folder / "Makefile").write_text("all:\n\t@$(E); $(MAKE) next\nnext:\n\t@echo next\n")
    done = run('timeout 20 make --silent --jobs=2 --directory="$FAKE"', namespace=True)
    assert done.returncode == 0
    assert done.stdout.endswith("next\n")


@needs_namespace
def test_no_second_dockerd_beside_a_silent_one(run):
    (run.folder / "mute").touch()
    done = run(
        'dockerd & while [[ ! -e $FAKE/starts ]]; do sleep 0.05; done; $E; echo "rc=$?"', True
    )
    assert "rc=1" in done.stdout
    assert "a dockerd is running, but does not answer you" in done.stderr
    assert (run.folder / "starts").read_text() == "started\n"


@needs_namespace
def test_stop_spares_a_process_that_inherited_the_pid(run):
    words = """
        sleep 300 & mkdir -p "$SAGEDOCK_HOME/engine"; echo $! >"$SAGEDOCK_HOME/engine/dockerd.pid"
        $E stop; kill -0 $! && echo alive"""
    done = run(words, namespace=True)
    assert "no engine of ours is running" in done.stdout
    assert "alive" in done.stdout


def test_an_unknown_word_is_refused(run):
    done = run("$E restart")
    assert done.returncode == 1
    assert "say start, stop or status" in done.stderr
