"""A pipeline, as data: its steps and parameters, and the document that they are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagedock.jobs.pipeline.references import Parameter
from sagedock.jobs.pipeline.steps import ConditionStep, Step
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["PipelineDefinition", "all_steps"]

_VERSION = "2020-12-01"


@dataclass(frozen=True, kw_only=True)
class PipelineDefinition:
    """What CreatePipeline is sent. ``extra`` is in API casing and is merged in last."""

    name: str
    role: str
    steps: Sequence[Step]
    parameters: Sequence[Parameter] = ()
    display_name: str | None = None
    description: str | None = None
    max_parallel_steps: int | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the definition, in SageMaker's JSON of version 2020-12-01."""
        return {
            "Version": _VERSION,
            "Metadata": {},
            "Parameters": [each.declaration() for each in self.parameters],
            "Steps": [each.definition() for each in self.steps],
        }

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreatePipeline request; its token is the caller's to add."""
        members = {
            "PipelineName": self.name,
            "PipelineDisplayName": self.display_name,
            "PipelineDescription": self.description,
            "PipelineDefinition": json.dumps(self.document()),
            "RoleArn": self.role,
            "ParallelismConfiguration": present(
                {"MaxParallelExecutionSteps": self.max_parallel_steps}
            ),
            "Tags": tag_list(self.tags),
        }
        parameters = merged(present(members), self.extra)
        return (Request(service="sagemaker", operation="CreatePipeline", parameters=parameters),)


def all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield steps, and those in the branches of condition steps."""
    for step in steps:
        yield step
        if isinstance(step, ConditionStep):
            yield from all_steps(step.then)
            yield from all_steps(step.otherwise)
