"""One job on its way from its source code to the end of its script."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import signals, variables
from sagedock.runtime import distribution, entry_point, hosts, script_environment, source, toolkit
from sagedock.runtime.banner import banner
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.log import say
from sagedock.runtime.supervise import Ended, Supervisor

__all__ = ["Launch", "Result"]

_INFO = 20  # logging.INFO; SageMaker's default for sagemaker_container_log_level


@dataclass(frozen=True, kw_only=True)
class Result:
    """The last program that a job ran: how it ended, and the toolkit's name for its failure."""

    ended: Ended
    command: Sequence[str]
    error: str


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What a job needs to run: its environment, and who watches over its programs."""

    env: Mapping[str, str]
    supervisor: Supervisor
    job: toolkit.Environment
    code: Path

    def run(self) -> Result:
        """Bring the source, install what it asks for, wait for the other hosts, run the script."""
        source.bring(self.job.source, self.code, fetch=toolkit.download_and_extract, say=say)
        program = entry_point.find(self.job.program, self.code)
        kind = entry_point.kind_of(program, self.code)
        distribution.refuse_unsupported(self.job.framework_parameters, kind)
        install = entry_point.install_command(kind, self.code)
        if install:
            installed = self._install(install, kind)
            if installed.ended.exit_code != signals.EXIT_SUCCESS:
                return installed
        if kind is Kind.COMMAND:
            entry_point.make_executable(program, self.code)
        self._wait_for_hosts()
        if self.job.log_level <= _INFO:
            say(banner(self.job, program, self.env))
        command, extra = self._command(program, kind)
        ended = self.supervisor.run(command, env=self._variables(extra), cwd=self.code)
        return Result(ended=ended, command=command, error="ExecuteUserScriptError")

    def _install(self, command: list[str], kind: Kind) -> Result:
        say(f"installing: pip {' '.join(command[3:])}")
        index = toolkit.code_artifact_index(self.env)
        extra = {"PIP_INDEX_URL": index} if index else {}  # not an argument: it holds a token
        ended = self.supervisor.run(command, env={**self.env, **extra}, cwd=self.code)
        error = "InstallModuleError" if kind is Kind.PACKAGE else "InstallRequirementsError"
        return Result(ended=ended, command=command, error=error)

    def _wait_for_hosts(self) -> None:
        if self.env.get(variables.SM_STUDIO_LOCAL_MODE.name, "").lower() == "true":
            say("Studio local mode: host names are not awaited")
        elif len(self.job.hosts) > 1:
            hosts.wait_for(self.job.hosts, patience=hosts.patience_s(self.env), say=say)

    def _command(self, program: str, kind: Kind) -> tuple[list[str], dict[str, str]]:
        """Return the command that trains, and the variables that its launcher needs."""
        distributed = self.job.current_host in self.job.distribution_hosts
        if distributed and distribution.wants_torchrun(self.job.framework_parameters):
            command = distribution.torchrun_command(self.job, program)
            return command, distribution.torchrun_variables(self.job)
        return entry_point.command(program, kind, self.job.arguments), {}

    def _variables(self, extra: Mapping[str, str]) -> dict[str, str]:
        path = [str(self.code), *sys.path]
        built = script_environment.build(self.env, {**self.job.variables, **extra}, path)
        fitting, too_long = script_environment.fit(built)
        if too_long:
            say(f"longer than Linux allows, so not set for the script: {', '.join(too_long)}")
        return fitting
