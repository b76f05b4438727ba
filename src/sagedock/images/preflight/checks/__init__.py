"""The checks, by what they look at. Each takes facts, and yields rows."""

from collections.abc import Iterator
from dataclasses import replace

from sagedock.engine import Image
from sagedock.images.preflight.checks.cuda import cuda_rows
from sagedock.images.preflight.checks.gpu_code import gpu_code_rows
from sagedock.images.preflight.checks.leaks import leak_rows
from sagedock.images.preflight.checks.machine import machine_rows
from sagedock.images.preflight.checks.network import network_rows
from sagedock.images.preflight.checks.neuron import neuron_rows
from sagedock.images.preflight.checks.start import start_rows
from sagedock.images.preflight.checks.system import system_rows
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row
from sagedock.images.preflight.target import Target

__all__ = ["rows_of"]


def rows_of(image: Image, facts: ImageFacts, targets: tuple[Target, ...]) -> Iterator[Row]:
    """Yield what is so on every instance, then each instance type's rows."""
    use = targets[0].use
    yield from start_rows(image, facts, use)
    yield from system_rows(facts)
    yield from leak_rows(facts)
    for target in targets:
        for rows in (machine_rows, cuda_rows, gpu_code_rows, network_rows, neuron_rows):
            for row in rows(facts, target):
                yield replace(row, instance_type=target.instance_type)
