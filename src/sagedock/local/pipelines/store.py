"""Pipelines and executions as operations find them, or refuse them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import pipeline_messages as words
from sagedock.local.caller import Caller
from sagedock.local.pipelines.executions import execution_kind
from sagedock.local.pipelines.names import (
    PIPELINE,
    is_of_region,
    pipeline_arn,
    pipeline_name,
    split_execution_arn,
)
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource
from sagedock.local.s3 import S3Error

__all__ = ["Store"]


@dataclass(frozen=True, kw_only=True)
class Store:
    """The pipelines and executions of one platform."""

    platform: Platform

    def key(self, caller: Caller, name: str) -> Key:
        """Return a pipeline's key."""
        return Key(region=caller.region, kind=PIPELINE, name=name)

    def pipeline(self, caller: Caller, name_or_arn: str) -> Resource:
        """Return a pipeline, by name or ARN, or refuse."""
        name = pipeline_name(name_or_arn)
        found = self.platform.resources.get(self.key(caller, name))
        if found is None or not is_of_region(name_or_arn, caller.region):
            asked = name_or_arn if name != name_or_arn else pipeline_arn(caller, name)
            raise Refused(words.pipeline_not_found(asked))
        return found

    def execution(self, caller: Caller, arn: str) -> Resource:
        """Return an execution, by ARN, or refuse."""
        parts = split_execution_arn(arn)
        if parts is not None and parts[0] == caller.region:
            _, pipeline, id_ = parts
            key = Key(region=caller.region, kind=execution_kind(pipeline), name=id_)
            if (found := self.platform.resources.get(key)) is not None:
                return found
        raise Refused(words.execution_not_found(arn))

    def definition(self, request: Mapping[str, Any]) -> str | None:
        """Return the definition's text that a request has, or points to; None where it has none."""
        if "PipelineDefinition" in request:
            return str(request["PipelineDefinition"])
        where = request.get("PipelineDefinitionS3Location")
        if where is None:
            return None
        try:
            _, content = self.platform.objects.open(where["Bucket"], where["ObjectKey"])
            with content:
                return content.read().decode()
        except (S3Error, UnicodeDecodeError) as error:
            uri = f"s3://{where['Bucket']}/{where['ObjectKey']}"
            raise Refused(words.definition_unreadable(uri, str(error))) from error
