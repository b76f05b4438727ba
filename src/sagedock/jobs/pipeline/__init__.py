"""Pipelines as data: steps that wrap jobs, references between them, SageMaker's JSON."""

from sagedock.jobs.pipeline.conditions import Compared, Condition, Either, OneOf, Opposite
from sagedock.jobs.pipeline.definition import PipelineDefinition, all_steps
from sagedock.jobs.pipeline.references import (
    Execution,
    Join,
    JsonGet,
    Parameter,
    Property,
    Reference,
    emitted,
    references_in,
    text_of,
)
from sagedock.jobs.pipeline.steps import (
    Cache,
    CallbackStep,
    ConditionStep,
    FailStep,
    JobStep,
    LambdaStep,
    PropertyFile,
    Retry,
    Step,
)

__all__ = [
    "Cache",
    "CallbackStep",
    "Compared",
    "Condition",
    "ConditionStep",
    "Either",
    "Execution",
    "FailStep",
    "JobStep",
    "Join",
    "JsonGet",
    "LambdaStep",
    "OneOf",
    "Opposite",
    "Parameter",
    "PipelineDefinition",
    "Property",
    "PropertyFile",
    "Reference",
    "Retry",
    "Step",
    "all_steps",
    "emitted",
    "references_in",
    "text_of",
]
