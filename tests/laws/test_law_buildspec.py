"""buildspec.yml calls make's verbs, and what it and make read of the environment is told."""

import re

from sagedock.images.remote.wanted import Wanted
from tests.buildspec import PHASES, buildspec
from tests.laws.tree import ROOT
from tests.unit.images.remote_builds import wanted

_VERBS = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
_READ = re.compile(r"^([A-Z_]+) \?=", re.MULTILINE)
_MAKEFILES = ("Makefile", "containers/containers.mk", "tests/clients/clients.mk")
_GUARD = 'if [ "$CODEBUILD_BUILD_SUCCEEDING" = 1 ]; then {}; fi'


def makefiles() -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in _MAKEFILES)


def commands() -> dict[str, list[str]]:
    phases = buildspec(ROOT)["phases"]
    return {name: list(phase["commands"]) for name, phase in phases.items()}


def test_it_is_one_that_codebuild_reads() -> None:
    spec = buildspec(ROOT)
    assert spec["version"] == 0.2
    assert set(spec) <= {"version", "env", "phases", "artifacts", "cache"}
    assert set(spec["phases"]) <= set(PHASES)
    assert spec["env"]["shell"] == "bash"
    assert spec["phases"]["install"]["runtime-versions"] == {"python": "3.11"}
    assert all(isinstance(value, str) for value in spec["env"]["variables"].values())


def test_it_calls_make_and_nothing_else() -> None:
    variables = buildspec(ROOT)["env"]["variables"]
    verbs = set(_VERBS.findall(makefiles()))
    for phase, listed in commands().items():
        for command in listed:
            bare = command
            if phase == "post_build":
                found = re.fullmatch(re.escape(_GUARD).replace(r"\{\}", "(.+)"), command)
                assert found, f"{command}: comes after a build that failed, too: guard it"
                bare = found[1]
            program, *words = bare.split()
            assert program == "make"
            given = [variables.get(word.strip('"$'), word) for word in words]
            assert set(given) <= verbs, bare


def test_check_build_and_push_come_in_this_order() -> None:
    flat = [command for phase in PHASES for command in commands()[phase]]
    assert flat == ["make setup engine", 'make "$CHECK"', "make build", _GUARD.format("make push")]


def test_each_variable_that_a_remote_build_sets_is_read() -> None:
    registry = "763104351884.dkr.ecr.us-west-2.amazonaws.com"
    build: Wanted = wanted(registries=(registry,), revision="1" * 40)
    read = {*_READ.findall(makefiles()), "CHECK", "SAGEDOCK_REVISION"}
    assert set(build.variables()) <= read
    text = (ROOT / "buildspec.yml").read_text(encoding="utf-8")
    assert all(name in text for name in build.variables())


def test_its_artifacts_are_what_a_push_records() -> None:
    artifacts = buildspec(ROOT)["artifacts"]
    assert artifacts == {"base-directory": "build/pushed", "files": ["**/*"]}
