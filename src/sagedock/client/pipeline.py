"""Pipeline: steps that wrap jobs, kept by SageMaker and carried out in the order that they need."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagedock.client.check import problems_in
from sagedock.client.pipeline_check import problems_in_pipeline
from sagedock.client.pipeline_execution import PipelineExecution
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.errors import InvalidRequest
from sagedock.jobs import Request, Tags
from sagedock.jobs.pipeline import (
    JobStep,
    Parameter,
    PipelineDefinition,
    Step,
    all_steps,
)

__all__ = ["Pipeline"]

_EXISTS = "already exists"


@dataclass(kw_only=True)
class Pipeline:
    """A pipeline. ``steps`` may be in any order: one that refers to another waits for it.

    ``extra`` is in API casing and is laid over the request last.
    """

    name: str
    role: str
    steps: Sequence[Step]
    parameters: Sequence[Parameter] = ()
    display_name: str | None = None
    description: str | None = None
    max_parallel_steps: int | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout

    def definition(self) -> dict[str, Any]:
        """Return the definition, in SageMaker's JSON. Raises InvalidRequest with all problems."""
        self._check()
        return self._data().document()

    def upsert(self) -> str:
        """Create the pipeline, or change the one of this name; return its ARN.

        Everything is checked before anything is sent.
        """
        self._check()
        (request,) = self._data().requests()
        sagemaker, token = self.session.client("sagemaker"), secrets.token_hex(16)
        with explained(self.session.target):
            try:
                answer = sagemaker.create_pipeline(**request.parameters, ClientRequestToken=token)
                self.show(f"created the pipeline {self.name}")
            except sagemaker.exceptions.ClientError as error:
                if _EXISTS not in error.response["Error"]["Message"]:
                    raise
                kept = {n: v for n, v in request.parameters.items() if n != "Tags"}
                answer = sagemaker.update_pipeline(**kept)
                self.show(f"changed the pipeline {self.name}")
        return str(answer["PipelineArn"])

    def start(self, display_name: str | None = None, **parameters: Any) -> PipelineExecution:
        """Start an execution with values for some of the parameters, and return it at once.

        Raises InvalidRequest for a parameter that there is not, or that is given as None.
        """
        known = {each.name for each in self.parameters}
        listed = ", ".join(sorted(known)) or "none"
        problems = [
            *(
                f"{name}: is no parameter of {self.name}: there are {listed}"
                for name in sorted(set(parameters) - known)
            ),
            *(
                f"{name}: is None: give a value, or leave it out for the default"
                for name, value in parameters.items()
                if name in known and value is None
            ),
        ]
        asked: dict[str, Any] = {
            "PipelineName": self.name,
            "ClientRequestToken": secrets.token_hex(16),
            "PipelineParameters": [
                {"Name": name, "Value": _text(value)} for name, value in parameters.items()
            ],
        }
        if display_name is not None:
            asked["PipelineExecutionDisplayName"] = display_name
        request = Request(service="sagemaker", operation="StartPipelineExecution", parameters=asked)
        if problems := problems or problems_in(request):
            raise InvalidRequest([with_remedy(line, self.session.target) for line in problems])
        with explained(self.session.target):
            answer = self.session.client("sagemaker").start_pipeline_execution(**asked)
        execution = PipelineExecution(answer["PipelineExecutionArn"], self.session, self.show)
        self.show(f"started {execution.id} of the pipeline {self.name}")
        return execution

    def delete(self) -> None:
        """Delete the pipeline, and what is known of its executions."""
        with explained(self.session.target):
            self.session.client("sagemaker").delete_pipeline(
                PipelineName=self.name, ClientRequestToken=secrets.token_hex(16)
            )

    def _data(self) -> PipelineDefinition:
        return PipelineDefinition(
            name=self.name,
            role=self.role,
            steps=self.steps,
            parameters=self.parameters,
            display_name=self.display_name,
            description=self.description,
            max_parallel_steps=self.max_parallel_steps,
            tags=self.tags,
            extra=self.extra,
        )

    def _check(self) -> None:
        problems = [*problems_in_pipeline(self.steps, self.parameters)]
        if not problems:
            (request,) = self._data().requests()
            token = {"ClientRequestToken": secrets.token_hex(16)}
            whole = type(request)(
                service=request.service,
                operation=request.operation,
                parameters={**request.parameters, **token},
            )
            problems += problems_in(whole)
            for step in all_steps(self.steps):
                if isinstance(step, JobStep):
                    found = problems_in(step.request)
                    problems += [f"step {step.name}: {line}" for line in found]
        if problems:
            raise InvalidRequest([with_remedy(line, self.session.target) for line in problems])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
