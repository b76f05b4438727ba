"""One execution of a pipeline: waited for, shown, stopped, tried again."""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import states
from sagedock.client.patience import Clock, patiently
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show
from sagedock.client.steps_shown import StepsShown, tree
from sagedock.errors import JobFailed

__all__ = ["PipelineExecution"]

Record = Mapping[str, Any]


class PipelineExecution:
    """An execution, by its ARN."""

    def __init__(self, arn: str, session: Session, show: Show) -> None:
        self.arn = arn
        self.session = session
        self.show = show

    @property
    def id(self) -> str:
        """The execution's id: the end of its ARN."""
        return self.arn.rpartition("/")[2]

    def describe(self) -> Record:
        """Return what DescribePipelineExecution answers."""
        with explained(self.session.target):
            found: Record = self._sagemaker.describe_pipeline_execution(
                PipelineExecutionArn=self.arn
            )
        return found

    def steps(self) -> list[Record]:
        """Return the records of the steps that have begun, the first one first."""
        return list(self._steps())

    def wait(self) -> Record:
        """Wait for the end, showing each step as it begins and ends; return the description.

        Raises JobFailed, with each failed step's reason, if it did not succeed.
        """
        clock, pace = Clock(), self.session.place.pace
        shown = StepsShown(self.show)
        while True:
            found = patiently(
                self.describe, patience_s=pace.patience_s, clock=clock, show=self.show
            )
            shown.update(
                patiently(self.steps, patience_s=pace.patience_s, clock=clock, show=self.show)
            )
            status = found["PipelineExecutionStatus"]
            if states.is_terminal("pipeline-execution", status):
                break
            clock.sleep(pace.poll_s)
        if status != "Succeeded":
            raise JobFailed(self.id, status, self._why(found))
        return found

    def stop(self) -> None:
        """Ask the service to stop the execution."""
        with explained(self.session.target):
            self._sagemaker.stop_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=secrets.token_hex(16)
            )

    def retry(self) -> None:
        """Go on with an execution that failed or was stopped: what succeeded is kept."""
        with explained(self.session.target):
            self._sagemaker.retry_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=secrets.token_hex(16)
            )

    def tree(self) -> str:
        """Return the pipeline's steps as a tree of text: how each ended, and how long it took."""
        with explained(self.session.target):
            definition = self._sagemaker.describe_pipeline_definition_for_execution(
                PipelineExecutionArn=self.arn
            )["PipelineDefinition"]
        return tree(definition, self.steps(), time.time())

    def _steps(self) -> Iterator[Record]:
        with explained(self.session.target):
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=self.arn, SortOrder="Ascending"
            )
            for page in pages:
                yield from page["PipelineExecutionSteps"]

    def _why(self, found: Record) -> str:
        reasons = [
            f"{each['StepName']}: {each['FailureReason']}"
            for each in self.steps()
            if "FailureReason" in each
        ]
        return "; ".join([*filter(None, [found.get("FailureReason")]), *reasons])

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")
