"""One job on its way from its source code to the end of its script."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from sagedock.contract import paths, signals, variables
from sagedock.runtime import (
    distribution,
    entry_point,
    hosts,
    neuron,
    requirements,
    script_environment,
    source,
    toolkit,
)
from sagedock.runtime.banner import banner
from sagedock.runtime.distribution import Launcher
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.log import say
from sagedock.runtime.place import locate
from sagedock.runtime.supervise import Ended, Supervisor

__all__ = ["Launch", "Result"]

_INFO = 20  # logging.INFO; SageMaker's default for sagemaker_container_log_level
_SCRIPT_FAILED = "ExecuteUserScriptError"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The last program that a job ran: how it ended, the toolkit's name for its failure, a remedy
    where one is known.
    """

    ended: Ended
    command: Sequence[str]
    error: str
    hint: str | None = None


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
        launcher = distribution.launcher_of(self.job)
        self._refuse(launcher, kind)
        targets = entry_point.pip_targets(kind, self.code)
        if targets:
            installed = self._install(targets, kind)
            if installed.ended.exit_code != signals.EXIT_SUCCESS:
                return installed
        if kind is Kind.COMMAND:
            entry_point.make_executable(program, self.code)
        self._wait_for_hosts(launcher)
        if self.job.log_level <= _INFO:
            say(banner(self.job, program, self.env, self._started_by(launcher)))
        neuron.prepare_cache(self.job, self.env, say)
        result = self._train(launcher, program, kind)
        if result.ended.exit_code == signals.EXIT_SUCCESS:
            neuron.keep_graphs(self.job, self.env, say)
        return result

    def _refuse(self, launcher: Launcher, kind: Kind) -> None:
        distribution.refuse(self.job.framework_parameters, kind)
        neuron.refuse(launcher, self.env)
        if launcher is not Launcher.PROCESS:
            distribution.processes_per_host(self.job)
        if launcher is Launcher.MPI:
            from sagedock.runtime.mpi import command as mpi

            mpi.refuse(self.job, kind)

    def _install(self, targets: list[str], kind: Kind) -> Result:
        packages = requirements.find_packages(
            self.job.channels,
            locate(paths.CHANNELS, self.env),
            online=requirements.has_route(),
            env=self.env,
        )
        command = [sys.executable, "-m", "pip", "install", *packages.options, *targets]
        say(f"installing: pip {' '.join(command[3:])}")
        index = toolkit.code_artifact_index(self.env)
        extra = {"PIP_INDEX_URL": index} if index else {}  # not an argument: it holds a token
        ended = self.supervisor.run(command, env={**self.env, **extra}, cwd=self.code)
        error = "InstallModuleError" if kind is Kind.PACKAGE else "InstallRequirementsError"
        hint = requirements.no_index_hint(packages, ended.stderr)
        return Result(ended=ended, command=command, error=error, hint=hint)

    def _wait_for_hosts(self, launcher: Launcher) -> None:
        """Wait for the hosts that this one works with: a host of another instance group may have
        ended already, and its name with it.
        """
        awaited = self.job.hosts if launcher is Launcher.PROCESS else self.job.distribution_hosts
        if self.env.get(variables.SM_STUDIO_LOCAL_MODE.name, "").lower() == "true":
            say("Studio local mode: host names are not awaited")
        elif len(awaited) > 1:
            hosts.wait_for(awaited, patience=hosts.patience_s(self.env), say=say)

    def _started_by(self, launcher: Launcher) -> str:
        if launcher is Launcher.PROCESS:
            return ""
        count = f"{len(self.job.distribution_hosts)} host(s)"
        return f" by {launcher}: {count} x {distribution.processes_per_host(self.job)} process(es)"

    def _train(self, launcher: Launcher, program: str, kind: Kind) -> Result:
        match launcher:
            case Launcher.PROCESS:
                command = entry_point.command(program, kind, self.job.arguments)
                return self._run(neuron.under_compiler(command, self.env), {})
            case Launcher.TORCHRUN:
                return self._torchrun(program)
            case Launcher.MPI:
                return self._mpi(program, kind)
            case _:
                assert_never(launcher)

    def _torchrun(self, program: str) -> Result:
        from sagedock.runtime import torchrun

        command = torchrun.command(self.job, program, self.env)
        extra = torchrun.launch_variables(self.job, self.env)
        return self._run(command, extra, launchers=(torchrun.MODULE,))

    def _mpi(self, program: str, kind: Kind) -> Result:
        from sagedock.runtime.mpi import command as mpi
        from sagedock.runtime.mpi import follower, leader

        extra = mpi.launch_variables(self.job, self.env)
        first, *others = self.job.distribution_hosts
        if self.job.current_host != first:
            serve = follower.command(first, self.job.current_host)
            return self._run(serve, extra, launchers=mpi.LAUNCHERS)
        if not others:
            return self._run(
                mpi.command(self.job, program, kind, None), extra, launchers=mpi.LAUNCHERS
            )
        with leader.gathered(others, patience=hosts.patience_s(self.env), say=say) as followers:
            command = mpi.command(self.job, program, kind, followers.ssh_config)
            result = self._run(command, extra, launchers=mpi.LAUNCHERS)
            followers.end(result.ended.exit_code)
            return result

    def _run(
        self, command: Sequence[str], extra: Mapping[str, str], launchers: Sequence[str] = ()
    ) -> Result:
        """Run the program that trains; ``extra`` is what its launcher needs of variables."""
        ended = self.supervisor.run(
            command, env=self._variables(extra), cwd=self.code, launchers=launchers
        )
        return Result(ended=ended, command=command, error=_SCRIPT_FAILED)

    def _variables(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the script's environment. What the job itself sets wins over a launcher's wish."""
        path = [str(self.code), *sys.path]
        extra = {**neuron.cache_variables(self.job, self.env), **extra}
        wished = script_environment.unless_set(extra, self.env)
        built = script_environment.build(self.env, {**self.job.variables, **wished}, path)
        fitting, too_long = script_environment.fit(built)
        if too_long:
            say(f"longer than Linux allows, so not set for the script: {', '.join(too_long)}")
        return fitting
