"""Several hosts of one job, each a container, on a network of their own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from tests.docker.launcher_job import LABEL, OURS, Job, Ran, new_job

_NAME = "sagedock-test-hosts"


@dataclass
class Hosts:
    """algo-1 and algo-2, whose containers are all called `aws`, as on the platform."""

    job: Job
    network: Any
    folder: Path
    names: tuple[str, ...] = ("algo-1", "algo-2")

    def each(self, name: str) -> Job:
        """Return one host's job; what is given to it is given to that host alone."""
        return replace(
            self.job,
            opt_ml=self.folder / name,
            hyperparameters=dict(self.job.hyperparameters),
            resources={**self.job.resources, "current_host": name, "hosts": list(self.names)},
        )

    def script(self, text: str, name: str = "train.py") -> None:
        """Give every host the same file of source code."""
        for host in self.names:
            self.each(host).script(text, name)
        self.job.hyperparameters.setdefault("sagemaker_program", name)

    def start(self, name: str, **options: Any) -> Container:
        """Start one host."""
        endpoint = self.job.client.api.create_endpoint_config(aliases=[name])
        options = {
            "network": self.network.name,
            "networking_config": {self.network.name: endpoint},
            "hostname": "aws",
            "extra_hosts": {},
            **options,
        }
        return self.each(name).start(OURS, **options)

    def run(self, **options: Any) -> dict[str, Ran]:
        """Start every host; return how each ended."""
        started = {name: self.start(name, **options) for name in self.names}
        return {name: self.ended(name, container) for name, container in started.items()}

    def ended(self, name: str, container: Container) -> Ran:
        """Wait for one host's end."""
        return self.each(name).ended(container)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    for job in new_job(tmp_path / "unused"):
        network = job.client.networks.create(f"{_NAME}-{tmp_path.name}", labels={LABEL: ""})
        try:
            yield Hosts(job=job, network=network, folder=tmp_path)
        finally:
            for container in job.containers:
                container.remove(force=True, v=True)
            job.containers.clear()
            network.remove()
