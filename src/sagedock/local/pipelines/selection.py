"""Selective execution: some steps run, and others' results come from an earlier execution.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-selective-ex.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import pipeline_messages as words
from sagedock.local.pipelines.definition import Definition
from sagedock.local.pipelines.document import STEPS
from sagedock.local.pipelines.graph import Graph
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["taken_over"]


def taken_over(
    config: Mapping[str, Any],
    definition: Definition,
    pipeline: str,
    find: Callable[[str], Resource],
) -> dict[str, Mapping[str, Any]]:
    """Return the records that an execution begins with: of the steps that the selected ones need
    and that are not selected. ``find`` returns an execution by its ARN, of
    the pipeline with the ARN ``pipeline``.

    Refuses a selection that cannot be executed.
    """
    selected = [each["StepName"] for each in config["SelectedSteps"]]
    if unknown := [name for name in selected if name not in definition.steps]:
        raise Refused(words.selection_of_nothing(", ".join(unknown)))
    graph = Graph(definition)
    above = graph.above(frozenset(selected)) - set(selected)
    needed = [name for name in graph.order if name in above]
    if not needed:
        return {}
    source = config.get("SourcePipelineExecutionArn")
    if source is None:
        raise Refused(words.selection_without_source(", ".join(selected), ", ".join(needed)))
    found = find(source)
    if found.document["PipelineArn"] != pipeline:
        raise Refused(words.selection_of_other_pipeline(source, pipeline))
    records = found.document[STEPS]
    for name in needed:
        if records.get(name, {}).get("StepStatus") != "Succeeded":
            raise Refused(words.selection_without_result(source, name))
    result = {"SelectiveExecutionResult": {"SourcePipelineExecutionArn": source}}
    return {name: {**records[name], **result} for name in needed}
