"""A failed job says why: exit code and failure file. With the stock toolkit it does not."""

import json

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

SELF = "import os, signal; os.kill(os.getpid(), signal.{})"


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import sys; sys.exit(42)", 42),
        (SELF.format("SIGKILL"), 137),
        (SELF.format("SIGSEGV"), 139),
    ],
)
def test_exit_code_is_the_scripts(job: Job, program: str, code: int) -> None:
    job.script(program)
    ran = job.run(OURS)
    assert ran.code == code
    assert ran.failure.startswith(f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "')
    assert job.run(STOCK).code == 1


RAISES = """
def load(path):
    raise ValueError(f"bad data in {path}: ünexpected")
load("train.csv")
"""


def test_failure_file_holds_the_exception_first(job: Job) -> None:
    job.script(RAISES)
    ran = job.run(OURS)
    assert ran.code == 1
    assert ran.failure.startswith(
        "ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "ValueError: bad data in train.csv: ünexpected\n'
    )
    assert 'File "/opt/ml/code/train.py", line 3, in load' in ran.failure
    assert 'Command "' in ran.failure
    assert len(ran.failure) < 1024


def test_stock_failure_file_holds_no_cause(job: Job) -> None:
    job.script(RAISES)
    failure = job.run(STOCK).failure
    assert 'ErrorMessage ""' in failure
    assert "bad data" not in failure


def test_cause_survives_noise_and_length(job: Job) -> None:
    job.hyperparameters["long"] = "x" * 2400
    job.script(
        "import sys\n"
        "for n in range(20000): print('warning', n, 'é' * 50, file=sys.stderr)\n"
        "raise RuntimeError('the cause ' + 'é' * 3000)"
    )
    failure = job.run(OURS).failure
    assert 'ErrorMessage "RuntimeError: the cause éé' in failure[:1024]
    assert 'Command "' in failure[:1024]


def test_file_of_the_script_is_kept(job: Job) -> None:
    job.script(
        "open('/opt/ml/output/failure', 'w').write('my own words')\nraise SystemExit('other')"
    )
    ran = job.run(OURS)
    assert (ran.code, ran.failure) == (1, "my own words")


def test_out_of_memory_is_named(job: Job) -> None:
    job.script("held = [bytearray(10**7) for _ in range(10**4)]")
    ran = job.run(OURS, mem_limit="150m", memswap_limit="150m")
    assert ran.code == 137
    assert 'ExtraInfo "OutOfMemory: the kernel killed' in ran.failure
    stock = job.run(STOCK, mem_limit="150m", memswap_limit="150m")
    assert stock.code == 1
    assert "OutOfMemory" not in stock.failure


def test_failing_requirements(job: Job) -> None:
    job.script("print('never')").script("no-such-package-anywhere==1\n", "requirements.txt")
    job.hyperparameters["sagemaker_program"] = "train.py"
    ran = job.run(OURS, network_mode="none", environment={"PIP_RETRIES": "0"})
    assert ran.code == 1
    assert ran.failure.startswith("InstallRequirementsError:\nExitCode 1\n")
    assert "No matching distribution found for no-such-package-anywhere==1" in ran.failure
    assert b"never" not in ran.out


@pytest.mark.parametrize(
    ("program", "words"),
    [("nosuch.py", "no file 'nosuch.py'"), ("../x.py", "lies outside"), ("", "sagemaker_program")],
)
def test_bad_entry_point(job: Job, program: str, words: str) -> None:
    job.script("").hyperparameters["sagemaker_program"] = program
    ran = job.run(OURS)
    assert ran.code == 1
    assert words in ran.failure


def test_missing_source(job: Job) -> None:
    job.hyperparameters |= {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://no-such-bucket/source.tar.gz",
    }
    nowhere = {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    ran = job.run(OURS, environment=nowhere)
    assert ran.code == 1
    assert "sagemaker_submit_directory: s3://no-such-bucket/source.tar.gz" in ran.failure
    assert "EndpointConnectionError" in ran.failure


def test_missing_configuration(job: Job) -> None:
    job.script("print('never')")
    hidden = {"/opt/ml/input/config": ""}
    ran = job.run(OURS, tmpfs=hidden)
    assert ran.code == 1
    assert "/opt/ml/input/config/resourceconfig.json is missing" in ran.failure


@pytest.mark.parametrize(
    "parameter",
    ["sagemaker_parameter_server_enabled", "sagemaker_distributed_dataparallel_enabled"],
)
def test_launcher_that_is_not_there_is_refused(job: Job, parameter: str) -> None:
    job.script("print('never')").hyperparameters[parameter] = True
    ran = job.run(OURS)
    assert ran.code == 1
    assert parameter in ran.failure
    assert b"never" not in ran.out


def test_framework_module_runs_under_supervision(job: Job) -> None:
    job.script("raise ValueError('from the script')")
    job.script(
        "from sagemaker_training import entry_point, environment\n"
        "def main():\n"
        "    env = environment.Environment()\n"
        "    entry_point.run(env.module_dir, env.user_entry_point, env.to_cmd_args(),\n"
        "                    env.to_env_vars(), capture_error=True)\n",
        "framework.py",
    )
    job.hyperparameters["sagemaker_program"] = "train.py"
    module = {"SAGEMAKER_TRAINING_MODULE": "framework:main", "PYTHONPATH": "/opt/ml/code"}
    ran = job.run(OURS, environment=module)
    assert ran.code == 1
    assert "from the script" in ran.failure
    assert json.loads((job.opt_ml / "input/config/resourceconfig.json").read_text())
