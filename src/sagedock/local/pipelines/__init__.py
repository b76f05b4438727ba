"""Pipelines: their definitions are programs, and executions run them.

``reading`` makes ``definition`` of the JSON, ``checking`` finds what is wrong with it. Operations:
``pipeline_operations``, ``execution_operations`` (``store`` finds, ``selection`` and ``parameters``
say what an execution begins with). ``executions`` are those that run; each has a ``course``, which
starts steps (``starting``: ``step_kinds``, ``functions``, ``deploying``) in the order of the
``graph``, with arguments in which ``expressions`` (``scope``) are replaced, and writes what happens
into its ``ledger``.
``memory`` keeps results for later executions, ``retrying`` says what is tried again, and what an
execution's jobs are tracked as is in ``experiment``.
"""

from sagedock.local.pipelines.document import STEPS, summary_members
from sagedock.local.pipelines.execution_operations import ExecutionOperations
from sagedock.local.pipelines.executions import Executions
from sagedock.local.pipelines.names import EXECUTION
from sagedock.local.pipelines.pipeline_operations import PipelineOperations
from sagedock.local.pipelines.running import pipelines_of

__all__ = [
    "EXECUTION",
    "STEPS",
    "SUMMARIES",
    "ExecutionOperations",
    "Executions",
    "PipelineOperations",
    "pipelines_of",
]

#: The members that lists answer, by kind.
SUMMARIES = summary_members()
