"""A handler and what it needs to serve, as data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagedock.client.model_archive import CODE_FOLDER
from sagedock.client.source import Source
from sagedock.contract import paths, variables

__all__ = ["ENTRY_POINT", "IMAGE", "Handler"]

ENTRY_POINT = "inference.py"
IMAGE = "sagedock-serving:cpu"
#: Docker's own minimum.
_LOWEST_MEMORY_MIB = 6


@dataclass(frozen=True, kw_only=True)
class Handler:
    """The folder ``source`` with the file ``entry_point`` in it, and the image that runs it.

    ``model`` is a folder or a model.tar.gz; None is for a handler that needs none. ``isolated``
    containers reach no network. ``memory_mib`` None sets no limit.
    """

    source: Path
    model: Path | None = None
    entry_point: str = ENTRY_POINT
    image: str = IMAGE
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mib: int | None = None
    gpus: int = 0
    isolated: bool = False

    def packed(self) -> Source:
        """Return the source as it is packed for AWS: what is left out there is left out here."""
        return Source(entry_point=self.entry_point, source_dir=str(self.source))

    def variables(self) -> Mapping[str, str]:
        """Return the container's environment: SageMaker's variables, then the user's.

        One worker unless the user wants more: it is there soonest, and its words are told once.
        """
        return {
            variables.SAGEMAKER_PROGRAM.name: self.entry_point,
            variables.SAGEMAKER_SUBMIT_DIRECTORY.name: f"{paths.MODEL}/{CODE_FOLDER}",
            variables.SAGEMAKER_MODEL_SERVER_WORKERS.name: "1",
            **self.environment,
        }

    def problems(self) -> list[str]:
        """Return all that is wrong, each line naming the member and the remedy."""
        return [*self._source_problems(), *self._model_problems(), *self._number_problems()]

    def _source_problems(self) -> Iterator[str]:
        if not self.source.is_dir():
            yield f"source: {self.source}: no such folder: check the path"
        elif not (self.source / self.entry_point).is_file():
            yield (
                f"entry_point: {self.source} has no {self.entry_point}: write it, or name the file "
                "that holds the handler"
            )
        else:
            for problem in self.packed().problems():
                yield problem.replace("source_dir:", "source:", 1)

    def _model_problems(self) -> Iterator[str]:
        if self.model is None:
            return
        if not self.model.exists():
            yield f"model: {self.model}: no such folder or model.tar.gz: check the path"
        elif self.model.is_dir():
            for entry in sorted(self.model.iterdir()):
                if not entry.exists():
                    yield f"model: {entry} is a broken link: remove it"

    def _number_problems(self) -> Iterator[str]:
        if self.memory_mib is not None and self.memory_mib < _LOWEST_MEMORY_MIB:
            yield (
                f"memory: {self.memory_mib} MiB is below Docker's {_LOWEST_MEMORY_MIB}: use more"
            )
        if self.gpus < 0:
            yield f"gpus: {self.gpus} is below 0: say how many GPUs the container gets"
