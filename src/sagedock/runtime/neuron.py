"""What a job on Neuron cores needs beside its launcher: a place for compiled graphs, and those that
there are. Also the step that compiles them and trains nothing.

What only such jobs need is imported inside functions: all others start without it.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sagedock.contract import neuron, paths, variables
from sagedock.errors import InvalidRequest, StorageError
from sagedock.runtime.distribution import Backend, Launcher, backend_of
from sagedock.runtime.place import locate
from sagedock.runtime.toolkit import Environment

__all__ = [
    "cache_variables",
    "compiles_only",
    "keep_graphs",
    "prepare_cache",
    "refuse",
    "under_compiler",
]

Say = Callable[[str], None]
_CACHE_OPTION = "--cache_dir"


def compiles_only(env: Mapping[str, str]) -> bool:
    """Return whether the job asks for its graphs to be compiled, and nothing else."""
    return env.get(variables.RUN_NEURON_PARALLEL_COMPILE.name) == "1"


def under_compiler(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return the command that runs a program, under the parallel compiler where the job says so.

    Source: https://awsdocs-neuron.readthedocs-hosted.com (neuron_parallel_compile): it runs the
    commands of a short training, then compiles what that asked for.
    """
    return [*([neuron.PARALLEL_COMPILE] if compiles_only(env) else []), *command]


def refuse(launcher: Launcher, env: Mapping[str, str]) -> None:
    """Raise InvalidRequest where graphs are to be compiled and cannot be."""
    if not compiles_only(env):
        return
    name = variables.RUN_NEURON_PARALLEL_COMPILE.name
    problems = []
    if launcher is Launcher.MPI:
        problems.append(f"{name}: graphs are compiled for torchrun and plain scripts, not for MPI")
    if shutil.which(neuron.PARALLEL_COMPILE, path=env.get("PATH")) is None:
        problems.append(
            f"{name}: this image has no {neuron.PARALLEL_COMPILE}, which torch-neuronx brings: "
            "take an image for Neuron, or drop the variable"
        )
    if problems:
        raise InvalidRequest(problems)


def cache_variables(job: Environment, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variable by which the compiler finds its cache; {} off Neuron, and where the job
    says itself where that is.
    """
    if not _is_ours(job, env):
        return {}
    return {variables.NEURON_COMPILE_CACHE_URL.name: str(_place(job, env))}


def prepare_cache(job: Environment, env: Mapping[str, str], say: Say) -> None:
    """Bring graphs to where this job's compiler looks: what came with the image, with the channel
    ``neuron_cache``, and what other hosts left with the checkpoints.

    Raises StorageError where they cannot be written there.
    """
    if not _is_ours(job, env):
        return
    from sagedock.runtime import neuron_cache

    there = neuron.cores_of(job.instance_type)
    if there > job.neuron_cores:
        say(f"{job.instance_type} has {there} Neuron cores, and {job.neuron_cores} are here")
    place = _place(job, env)
    try:
        place.mkdir(parents=True, exist_ok=True)
        mended = neuron_cache.mend(place)
        brought = _bring(_sources(env), place, say)
    except OSError as error:
        raise StorageError(
            f"{place} takes no compiled graphs: {error.strerror or error}: free its disk, or give "
            f"another folder by {variables.NEURON_COMPILE_CACHE_URL}"
        ) from error
    say(
        f"compiled graphs: {len(neuron_cache.entries(place))} in {place}"
        + (f", {brought} of them brought there" if brought else "")
        + (f"; locks or failures of {mended} removed" if mended else "")
    )


def keep_graphs(job: Environment, env: Mapping[str, str], say: Say) -> None:
    """Put what a compile job compiled into its model, so that later jobs can have it as a channel.

    Nothing where the job keeps its cache in a place of its own.
    """
    if not (compiles_only(env) and _is_ours(job, env)):
        return
    from sagedock.runtime import neuron_cache

    model = _of_host(locate(paths.MODEL, env) / neuron.CACHE_FOLDER, job)
    kept = neuron_cache.copy_missing(neuron_cache.entries(_place(job, env)), model)
    say(f"compiled graphs: {kept} put into {model}, for a channel {neuron.CACHE_CHANNEL}")


def _is_ours(job: Environment, env: Mapping[str, str]) -> bool:
    said = variables.NEURON_COMPILE_CACHE_URL.name in env or _CACHE_OPTION in env.get(
        variables.NEURON_CC_FLAGS.name, ""
    )
    return bool(job.neuron_cores) and backend_of(job, env) is Backend.XLA and not said


def _place(job: Environment, env: Mapping[str, str]) -> Path:
    """Return the folder for this host's graphs: below the checkpoints where the job has any."""
    checkpoints = _checkpoints(env)
    if checkpoints is None:
        return Path(neuron.DEFAULT_CACHE)
    return _of_host(checkpoints / neuron.CACHE_FOLDER, job)


def _of_host(folder: Path, job: Environment) -> Path:
    """Return this host's own part: what all hosts of a job write goes to one place in S3."""
    return folder / job.current_host if len(job.hosts) > 1 else folder


def _checkpoints(env: Mapping[str, str]) -> Path | None:
    """Return the folder that is mirrored to S3: without a CheckpointConfig there is none."""
    from sagedock.runtime.checkpoints import default_folder

    folder = default_folder(env)
    told = locate(paths.CHECKPOINT_CONFIG, env).exists()
    return folder if folder is not None and (told or folder.is_dir()) else None


def _sources(env: Mapping[str, str]) -> list[Path]:
    channel = locate(paths.CHANNELS, env) / neuron.CACHE_CHANNEL
    checkpoints = _checkpoints(env)
    shared = [checkpoints / neuron.CACHE_FOLDER] if checkpoints else []
    return [*shared, channel, Path(neuron.SHIPPED_CACHE)]


def _bring(sources: Sequence[Path], place: Path, say: Say) -> int:
    import tempfile

    from sagedock.runtime import neuron_cache

    with tempfile.TemporaryDirectory(prefix="sagedock-neuron-") as scratch:
        folders = neuron_cache.unpacked(sources, Path(scratch), say)
        return sum(
            neuron_cache.copy_missing(neuron_cache.entries(folder), place) for folder in folders
        )
