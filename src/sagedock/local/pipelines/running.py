"""The executions of one platform, with all that their steps need."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.calls import Calls
from sagedock.local.endpoints import client_variables
from sagedock.local.others import function_of, send_to_queue
from sagedock.local.pipelines import functions
from sagedock.local.pipelines.course import Course
from sagedock.local.pipelines.executions import Executions
from sagedock.local.pipelines.ledger import Ledger
from sagedock.local.pipelines.memory import Memory
from sagedock.local.pipelines.parameters import values
from sagedock.local.pipelines.reading import read_definition
from sagedock.local.pipelines.scope import Execution
from sagedock.local.pipelines.starting import Outside, Starter
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource

__all__ = ["pipelines_of"]


def pipelines_of(platform: Platform, calls: Calls) -> Executions:
    """Return the executions of a platform; none is taken up yet."""

    def course(resource: Resource) -> Course:
        request, region = resource.request, resource.key.region
        definition = read_definition(request["Definition"])
        execution = Execution(
            definition=definition,
            parameters=values(definition, request["Parameters"]),
            pipeline=request["Pipeline"],
            caller=Caller(region=region, service="sagemaker", account=request["Account"]),
            ledger=Ledger(platform.resources, resource),
            calls=calls,
            objects=platform.objects,
        )
        starter = Starter(
            execution=execution,
            memory=Memory(
                resources=platform.resources,
                region=region,
                name=f"{request['Pipeline']}/{request['PipelineCreated']}",
            ),
            outside=_outside(platform, region, request["Account"]),
            wake=lambda: found.wake(resource.key),
        )
        return Course(execution, starter)

    found = Executions(platform.resources, course)
    return found


def _outside(platform: Platform, region: str, account: str) -> Outside:
    def send(url: str, message: Mapping[str, Any]) -> bool:
        return send_to_queue(region, url, json.dumps(message))

    def call(arn: str, arguments: Mapping[str, Any]) -> Any:
        home = platform.settings.home
        return functions.call(
            platform.settings.lambdas,
            partial(function_of, account, region),
            arn,
            arguments,
            environment=client_variables(platform.url, region=region, home=home),
            scratch=platform.scratch_folder,
        )

    return Outside(send=send, call=call)
