"""The names that pushes and pulls give images in the engine: interrupted, killed, and cleaned."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.engine import ContainerSpec
from sagedock.errors import ImageNotFound
from sagedock.images.layer_lines import LayerLines
from sagedock.images.push import push_image
from sagedock.images.push_plan import Planned
from sagedock.local import Home, clean
from sagedock.local.ecr import find_program
from tests.conftest import ACCOUNT, BUCKET, REGION
from tests.docker.conftest import RealLocal
from tests.docker.test_push import (
    MIB,
    PUSH,
    environment,
    job_of,
    names_of,
    planned,
    push,
    tags,
    tiny,
)
from tests.docker.tiny_images import TinyImages

pytestmark = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)
__all__ = ["tiny"]


def test_a_push_that_was_interrupted_goes_on(
    real: RealLocal, engine: Any, tiny: TinyImages
) -> None:
    name = tiny.make(MIB, 24 * MIB)
    arrived: list[str] = []

    def interrupt(_: Planned, news: Any) -> None:
        if news.status == "Pushed":
            arrived.append(news.layer)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push_image(
            engine, planned(real, engine, name), names=names_of(real), progress=interrupt, say=print
        )
    assert tags(engine, name) == (name,)

    lines: list[str] = []
    told = LayerLines(lines.append)
    pushed = push_image(
        engine,
        planned(real, engine, name),
        names=names_of(real),
        progress=lambda of, news: told(of.name, news),
        say=print,
    )
    assert pushed.already is False
    assert f"{name}: layer {arrived[0]} is there already" in lines


def test_ctrl_c_leaves_no_name_behind(
    real: RealLocal, engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make(MIB, 64 * MIB)
    process = subprocess.Popen(
        [*PUSH, name],
        cwd=tmp_path,
        env=environment(real, tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "layer" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(60) == 130
    assert tags(engine, name) == (name,)
    assert push(real, tmp_path, name).returncode == 0


def test_what_a_job_pulled_goes_with_the_home_and_the_user_s_own_name_stays(
    engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    names = [tiny.make(MIB), tiny.make(MIB)]
    home = tmp_path / "home"
    ids = []
    with LocalSageMaker(home=home, check_answers=True) as server:
        real = RealLocal(server=server, engine=engine)
        real.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for number, name in enumerate(names):
            assert push(real, tmp_path, name, "--no-sbom").returncode == 0
            ids.append(engine.image(name).id)
            tiny.remove(name)
            uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"
            real.start(job_of(real, uri, f"job-{number}"))
            assert real.ended(f"job-{number}")["TrainingJobStatus"] == "Completed"
    engine.tag(ids[0], names[0])  # the user takes one over

    said: list[str] = []
    clean(home, engine, said.append)

    assert not home.exists()
    assert sum("sha256-" in line for line in said) == 2
    assert tags(engine, names[0]) == (names[0],)
    assert engine.image(ids[0]).digests == ()
    with pytest.raises(ImageNotFound):
        engine.image(ids[1])


def test_a_name_in_use_stays_until_nothing_uses_it(
    engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    name = f"127.0.0.1:5000/{tiny.make()}"
    given = Home(home).given_names
    image = engine.image(name.partition("/")[2]).id
    given.give(engine, image, name)
    engine.untag(name.partition("/")[2])
    user_s = engine.create(
        ContainerSpec(name=f"user-s-{image[7:19]}", image=image, command=("/bin/sh",))
    )
    said: list[str] = []
    try:
        clean(home, engine, said.append)
        assert tags(engine, image) == (name,)
        assert "is using its referenced image" in said[0]
        assert "clean again" in said[0]
    finally:
        engine.remove(user_s)
    clean(home, engine, said.append)
    assert not home.exists()
    with pytest.raises(ImageNotFound):
        engine.image(image)


def test_a_push_that_was_killed_leaves_a_name_until_the_home_is_cleaned(
    engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make(MIB, 64 * MIB)
    home = tmp_path / "home"
    with LocalSageMaker(home=home) as server:
        real = RealLocal(server=server, engine=engine)
        process = subprocess.Popen(
            [*PUSH, name, "--no-sbom"],
            cwd=tmp_path,
            env=environment(real, tmp_path),
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            next(line for line in process.stderr if "layer" in line)
            process.kill()
        assert len(tags(engine, name)) == 2
    clean(home, engine, print)
    assert tags(engine, name) == (name,)
