"""`docker run IMAGE train`: one SageMaker training job, from the platform's files to an exit code.

AWS's toolkit reads the files and names the variables; what it breaks of the container contract is
mended here: signals, exit codes, the failure file, whole log lines, secrets, unwritable outputs.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import paths, signals, variables
from sagedock.errors import SagedockError
from sagedock.runtime import configuration, memory, outputs, toolkit
from sagedock.runtime.cuda_compat import with_compat
from sagedock.runtime.entry_point import without_shell
from sagedock.runtime.failure import (
    Failure,
    failure_text,
    launcher_text,
    out_of_memory_hint,
    write_failure,
)
from sagedock.runtime.launch import Launch, Result
from sagedock.runtime.log import say
from sagedock.runtime.place import locate
from sagedock.runtime.redact import secret_values
from sagedock.runtime.supervise import Supervisor

__all__ = ["main"]

#: The toolkit's own `train`, which runs framework modules (SAGEMAKER_TRAINING_MODULE).
_TOOLKIT_TRAIN = (sys.executable, "-m", "sagemaker_training.cli.train")
_OUR_MODULES = "sagedock."


def main(env: Mapping[str, str] = os.environ) -> int:
    """Run the training job that /opt/ml describes; return the container's exit code.

    That is the script's own code; 128 + N where signal N killed it; 1 where the job failed before
    the script ran, or its outputs cannot be written. Where it is not 0, the failure file says why,
    unless the job was stopped. ``env`` is this process's own: the toolkit reads that one too.
    """
    supervisor = Supervisor()
    try:
        outputs.check(env)
        outputs.forget_last_job(env)
        return _train(env, supervisor)
    except SagedockError as error:
        _report(launcher_text(error, secret_values(env)), env)
        return signals.EXIT_FAILURE
    except Exception as error:  # whatever it is, the failure file must say it
        _report(launcher_text(error, secret_values(env)), env)
        raise


def _train(env: Mapping[str, str], supervisor: Supervisor) -> int:
    code = locate(paths.CODE, env)
    job = toolkit.read_environment(configuration.check(env), code)
    env = with_compat(env, say, job.instance_type)
    if job.framework_module and not job.framework_module.startswith(_OUR_MODULES):
        say(f"{variables.SAGEMAKER_TRAINING_MODULE}: the toolkit runs {job.framework_module}")
        return supervisor.run(_TOOLKIT_TRAIN, env=env, cwd=Path("/")).exit_code
    upload = toolkit.start_intermediate_upload(job.s3_output, env)
    result = Launch(env=env, supervisor=supervisor, job=job, code=code).run()
    _conclude(result, secret_values(env, job.hyperparameters), env)
    if upload and not result.ended.stopped:
        upload.join()  # it ends once the success or failure file is there
    return result.ended.exit_code


def _conclude(result: Result, secrets: frozenset[str], env: Mapping[str, str]) -> None:
    """Leave the success or the failure file; raise StorageError where nothing can be written."""
    if result.ended.exit_code == signals.EXIT_SUCCESS:
        outputs.check(env)
        outputs.mark_success(env)
        if not outputs.has_model(env):
            say(f"{paths.MODEL} is empty: the job leaves no model. Save it under SM_MODEL_DIR")
    elif result.ended.stopped:
        say("the script ended on the stop signal")
    else:
        _report(failure_text(_failure(result), secrets), env)


def _failure(result: Result) -> Failure:
    code = result.ended.exit_code
    return Failure(
        error=result.error,
        exit_code=code,
        command=without_shell(result.command),
        stderr=result.ended.stderr,
        hint=result.hint or out_of_memory_hint(code, memory.kernel_kills()),
    )


def _report(text: str, env: Mapping[str, str]) -> None:
    """Say why the job failed, in the log and in the failure file."""
    say(f"training failed\n{text}")
    try:
        written = write_failure(text, env)
    except OSError as error:
        say(f"{locate(paths.FAILURE, env)} cannot be written: {error.strerror}")
    else:
        if not written:
            say(f"{paths.FAILURE} is kept as the script wrote it")


if __name__ == "__main__":
    sys.exit(main())
