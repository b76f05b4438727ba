"""What is refused of a deployment before anything is made: in the words of ``deploy``."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from sagedock.client.existing import found
from sagedock.jobs import EndpointDeployment, ProductionVariant

__all__ = [
    "SOME_NAME",
    "VARIANT_OPTIONS",
    "checkable",
    "options_of",
    "problems_in_instances",
    "problems_in_names",
    "refuse_unknown",
]

#: Stands for the name of a model that is named as its endpoint is: the endpoint's is checked.
SOME_NAME = "some-name"
_MACHINES: Mapping[str, str] = {
    "InitialInstanceCount": "initial_instance_count",
    "InstanceType": "instance_type",
}
#: What ``deploy`` passes on to the variant.
VARIANT_OPTIONS = frozenset(each.name for each in fields(ProductionVariant)) - {
    *("initial_instance_count", "instance_type", "model_name", "serverless"),
}


def options_of(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the parameters that a function takes one by one."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    said = inspect.signature(function).parameters.values()
    return frozenset(each.name for each in said if each.kind in kinds) - {"self"}


def refuse_unknown(options: Iterable[str], known: frozenset[str], of: str = "deploy") -> None:
    """Raise TypeError, as Python does of a keyword unknown to ``of``, with what is near it."""
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, sorted(known), n=1)
            hint = f"did you mean {near[0]}" if near else f"it has {', '.join(sorted(known))}"
            raise TypeError(f"{of}() has no {option!r}: {hint}")


def problems_in_instances(variant: ProductionVariant) -> list[str]:
    """Return what is wrong about a variant's machines: it has some, or it is serverless."""
    said = variant.parameters()
    named = [word for member, word in _MACHINES.items() if member in said]
    if "ServerlessConfig" in said and named:
        verb = (
            "leave them out, or serverless=" if len(named) > 1 else "leave it, or serverless=, out"
        )
        return [f"{', '.join(named)}: a serverless endpoint has no instances: {verb}"]
    if not {"ServerlessConfig", "InstanceType", "InstancePools"} & set(said):
        return [
            "instance_type: is missing: give initial_instance_count and instance_type, as "
            "deploy(1, 'ml.m5.large'), or serverless=Serverless()"
        ]
    return []


def checkable(deployment: EndpointDeployment) -> EndpointDeployment:
    """Return a deployment whose variants have right instances: what else is wrong can be told."""
    right = [
        replace(each, serverless=None, instance_type="ml.m5.large", initial_instance_count=1)
        if problems_in_instances(each)
        else each
        for each in deployment.variants
    ]
    return replace(deployment, variants=right)


def problems_in_names(
    sagemaker: Any, *, endpoint: str | None = None, model: str | None = None, word: str = "name"
) -> list[str]:
    """Return a line for each name that something has already; ``word`` is the model's field."""
    lines = []
    if endpoint and found(sagemaker.describe_endpoint, EndpointName=endpoint):
        return [
            f"endpoint_name: there is an endpoint {endpoint!r}: give another name, or delete it "
            f"first: Endpoint({endpoint!r}).delete(models=True)"
        ]
    if model and found(sagemaker.describe_model, ModelName=model):
        lines.append(
            f"{word}: there is a model {model!r}: give another name, or delete it first: its "
            "delete(), or boto3's delete_model"
        )
    if endpoint and found(sagemaker.describe_endpoint_config, EndpointConfigName=endpoint):
        lines.append(
            f"endpoint_name: there is an endpoint configuration {endpoint!r}: give another name, "
            "or delete it first: boto3's delete_endpoint_config"
        )
    return lines
