"""Outputs that cannot be written are an error. With the stock toolkit they can be an exit 0."""

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker


def test_read_only_output_is_an_error(job: Job) -> None:
    job.script("raise ValueError('lost')")
    (job.opt_ml / "output" / "data").mkdir(parents=True)
    read_only = [f"{job.opt_ml}/output:/opt/ml/output:ro"]
    ran = job.run(OURS, volumes=read_only)
    assert ran.code == 1
    assert "/opt/ml/output cannot be written: Read-only file system" in ran.log
    # a script that raises, and yet:
    assert job.run(STOCK, volumes=read_only).code == 0


def test_read_only_model_is_an_error_before_hours_of_training(job: Job) -> None:
    job.script("print('trained')")
    (job.opt_ml / "model").mkdir(parents=True)
    read_only = [f"{job.opt_ml}/model:/opt/ml/model:ro"]
    ran = job.run(OURS, volumes=read_only)
    assert ran.code == 1
    assert "/opt/ml/model cannot be written: Read-only file system" in ran.failure
    assert b"trained" not in ran.out
    stock = job.run(STOCK, volumes=read_only)
    assert stock.code == 0
    assert b"trained" in stock.out


FILLS = """
try:
    open("/opt/ml/model/model.bin", "wb").write(b"x" * 10_000_000)
except OSError as error:
    print("ignored:", error)
"""


def test_full_disk_is_an_error_even_where_the_script_ignores_it(job: Job) -> None:
    job.script(FILLS)
    small = {"/opt/ml/model": "size=1m"}
    ran = job.run(OURS, tmpfs=small)
    assert ran.code == 1
    assert "/opt/ml/model cannot be written: No space left on device" in ran.failure
    assert not (job.opt_ml / "output" / "success").exists()
    assert job.run(STOCK, tmpfs=small).code == 0


def test_empty_model_folder_is_said(job: Job) -> None:
    job.script("pass")
    ran = job.run(OURS)
    assert ran.code == 0
    assert "/opt/ml/model is empty" in ran.log


def test_marks_of_an_earlier_job_do_not_count(job: Job) -> None:
    job.script("raise ValueError('the new cause')")
    (job.opt_ml / "output" / "data").mkdir(parents=True)
    container = job.start(
        {"entrypoint": ["/bin/bash", "-c", "echo old >/opt/ml/output/failure; train"]}
    )
    assert "the new cause" in job.ended(container).failure
