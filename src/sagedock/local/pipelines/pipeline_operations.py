"""Create, Update, Describe, List and DeletePipeline."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagedock.api import pipeline_messages as words
from sagedock.local.caller import Caller
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.pipelines.checking import problem
from sagedock.local.pipelines.definition import Definition
from sagedock.local.pipelines.document import described, pipeline_document
from sagedock.local.pipelines.executions import execution_kind
from sagedock.local.pipelines.names import PIPELINE, TERMINAL, pipeline_arn
from sagedock.local.pipelines.reading import Unreadable, read_definition
from sagedock.local.pipelines.store import Store
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["PipelineOperations", "checked"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(
    kind=PIPELINE, member="PipelineSummaries", begins={"PipelineNamePrefix": "PipelineName"}
)
_VERSIONS = ("PipelineVersionAliases", "PipelineVersionId", "PipelineVersionAlias")
_ONCE = "ClientRequestToken"


def checked(text: str) -> Definition:
    """Return the definition in ``text``, or refuse it."""
    try:
        definition = read_definition(text)
    except Unreadable as error:
        raise Refused(words.definition_wrong(str(error))) from error
    if (found := problem(definition)) is not None:
        raise Refused(words.definition_wrong(found))
    return definition


class PipelineOperations:
    """The operations on pipelines. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"DescribePipeline", "ListPipelines"})

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._resources = platform.resources
        self._store = Store(platform=platform)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreatePipeline": self.create,
            "UpdatePipeline": self.update,
            "DescribePipeline": self.describe,
            "ListPipelines": self.list,
            "DeletePipeline": self.delete,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Keep a pipeline whose definition can be carried out."""
        _refuse_versions(request)
        name = request["PipelineName"]
        arn, key = pipeline_arn(caller, name), self._store.key(caller, name)
        before = self._resources.get(key)
        if before is not None:
            if before.request.get(_ONCE) == request[_ONCE]:
                return {"PipelineArn": arn}
            raise Refused(words.pipeline_exists(arn))
        text = self._store.definition(request)
        if text is None:
            raise Refused(words.definition_missing())
        checked(text)
        if refusal := self._platform.trust.refusal(request["RoleArn"], caller.account):
            raise Refused(refusal)
        at = epoch_s(time.time())
        pipeline = Resource(
            key=key,
            created=at,
            modified=at,
            status="Active",
            document=pipeline_document(request, arn, text, at),
            request={_ONCE: request[_ONCE]},
        )
        with self._resources.together():
            if not self._resources.add(pipeline):
                raise Refused(words.pipeline_exists(arn))
            self._platform.tags.add(arn, request.get("Tags", ()))
        return {"PipelineArn": arn}

    def update(self, caller: Caller, request: Request) -> Answer:
        """Change a pipeline; executions that run keep the definition they began with."""
        _refuse_versions(request)
        pipeline = self._store.pipeline(caller, request["PipelineName"])
        text = self._store.definition(request)
        if text is not None:
            checked(text)
        changes = {
            name: request[name]
            for name in (
                *("PipelineDisplayName", "PipelineDescription", "RoleArn"),
                "ParallelismConfiguration",
            )
            if name in request
        }
        if text is not None:
            changes["PipelineDefinition"] = text
        at = epoch_s(time.time())

        def changed(old: Resource) -> Resource:
            document = {**old.document, **changes, "LastModifiedTime": at}
            return replace(old, document=document, modified=at)

        if self._resources.change(pipeline.key, changed) is None:
            raise Refused(words.pipeline_not_found(pipeline.document["PipelineArn"]))
        return {"PipelineArn": pipeline.document["PipelineArn"]}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer a pipeline and its definition."""
        _refuse_versions(request)
        document = self._store.pipeline(caller, request["PipelineName"]).document
        answer = described(document)
        if "LastExecutionTime" in document:
            answer["LastRunTime"] = document["LastExecutionTime"]
        return answer

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of summaries, as JSON. Of each page only those are answered that have the
        prefix.
        """
        return _LISTING.page(self._resources, caller, _renamed(request))

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete a pipeline with the history of its executions; none of them may run."""
        pipeline = self._store.pipeline(caller, request["PipelineName"])
        arn, name = pipeline.document["PipelineArn"], pipeline.key.name
        with self._resources.together():
            kind = execution_kind(name)
            if any(
                each.key.region == caller.region
                for each in self._resources.unfinished(kind, TERMINAL)
            ):
                raise Refused(words.pipeline_runs(arn))
            for key in self._resources.named(kind):
                if key.region == caller.region:
                    self._resources.delete(key)
            self._platform.tags.remove_all(arn)
            self._resources.delete(pipeline.key)
        return {"PipelineArn": arn}


def _refuse_versions(request: Request) -> None:
    for name in _VERSIONS:
        if name in request:
            raise Refused(words.too_many_versions(name))


def _renamed(request: Request) -> dict[str, Any]:
    """Return a list's request with the names that other lists have for the same."""
    names = {"CreatedAfter": "CreationTimeAfter", "CreatedBefore": "CreationTimeBefore"}
    return {names.get(name, name): value for name, value in request.items()}
