"""One execution of a pipeline: waited for, shown, stopped, tried again."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from sagedock.api import states
from sagedock.client.failed_steps import told_of_failures
from sagedock.client.interrupted import stopped_by_ctrl_c
from sagedock.client.patience import Clock, patiently
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Draw, Show, pictured
from sagedock.client.steps_shown import StepsShown, tree, tree_lines
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
            return self._describe()

    def steps(self) -> list[Record]:
        """Return the records of the steps that have begun, the first one first."""
        with explained(self.session.target):
            return self._steps()

    def wait(self) -> Record:
        """Wait for the end, showing each step as it begins and ends, on a terminal their tree;
        return the description.

        Raises JobFailed, with each failed step's reason, if it did not succeed; before that shows
        the end of the failed jobs' logs. Ctrl-C stops the execution, and is raised once that has
        ended; a second one at once.
        """
        with pictured(self.show) as draw:
            found = stopped_by_ctrl_c(
                partial(self._follow, self._shown(draw)),
                what=f"the execution {self.id}",
                stop=self.stop,
                left=self._left,
                show=self.show,
            )
        status = found["PipelineExecutionStatus"]
        if status != "Succeeded":
            steps = self.steps()
            for line in told_of_failures(steps, self.session):
                self.show(line)
            raise JobFailed(self.id, status, _why(found, steps))
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
        return tree(self._definition, self.steps(), time.time())

    @cached_property
    def _definition(self) -> str:
        with explained(self.session.target):
            found: str = self._sagemaker.describe_pipeline_definition_for_execution(
                PipelineExecutionArn=self.arn
            )["PipelineDefinition"]
        return found

    def _follow(self, shown: Callable[[Sequence[Record]], None]) -> Record:
        """Return the description at the end; the steps are ``shown`` meanwhile."""
        clock, pace = Clock(), self.session.place.pace
        ask = partial(patiently, patience_s=pace.patience_s, clock=clock, show=self.show)
        while True:
            with explained(self.session.target):
                found, steps = ask(self._describe), ask(self._steps)
            shown(steps)
            if states.is_terminal("pipeline-execution", found["PipelineExecutionStatus"]):
                return found
            clock.sleep(pace.poll_s)

    def _shown(self, draw: Draw | None) -> Callable[[Sequence[Record]], None]:
        """Return what shows the steps: as lines, or with ``draw`` as their tree."""
        if draw is None:
            return StepsShown(self.show).update

        def drawn(steps: Sequence[Record]) -> None:
            draw(partial(tree_lines, self._definition, steps, time.time()))

        return drawn

    def _left(self, found: Record) -> str:
        """Return what is left of an execution that Ctrl-C stopped."""
        counts = Counter(each["StepStatus"] for each in self.steps())
        steps = ", ".join(f"{count} {status}" for status, count in counts.items()) or "none begun"
        return (
            f"the execution {self.id} ended {found['PipelineExecutionStatus']} (steps: {steps}); "
            "what succeeded is kept: its retry() goes on from there"
        )

    def _describe(self) -> Record:
        found: Record = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
        return found

    def _steps(self) -> list[Record]:
        pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=self.arn, SortOrder="Ascending"
        )
        return [each for page in pages for each in page["PipelineExecutionSteps"]]

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")


def _why(found: Record, steps: Sequence[Record]) -> str:
    reasons = [
        f"{each['StepName']}: {each['FailureReason']}" for each in steps if "FailureReason" in each
    ]
    return "; ".join([*filter(None, [found.get("FailureReason")]), *reasons])
