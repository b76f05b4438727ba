"""Models, endpoint configurations, endpoints and inference components in the store: one table for
the four kinds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import ServiceError, messages, states
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource

__all__ = [
    "COMPONENT",
    "CONFIG",
    "ENDPOINT",
    "MODEL",
    "SHADOWS",
    "VARIANTS",
    "Document",
    "Kind",
    "Shelf",
    "config_key",
    "variants_of",
    "with_document",
]

Document = Mapping[str, Any]

#: The members of a configuration, and of an endpoint, that have its variants: those that answer,
#: and their shadows.
SHADOWS = "ShadowProductionVariants"
VARIANTS = ("ProductionVariants", SHADOWS)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind: as ARNs name it, as refusals do, and the members that its list answers."""

    name: str
    words: str
    summary: Sequence[str]


MODEL = Kind(name="model", words="model", summary=("ModelName", "ModelArn", "CreationTime"))
CONFIG = Kind(
    name="endpoint-config",
    words="endpoint configuration",
    summary=("EndpointConfigName", "EndpointConfigArn", "CreationTime"),
)
ENDPOINT = Kind(
    name="endpoint",
    words="endpoint",
    summary=(
        "EndpointName",
        "EndpointArn",
        "CreationTime",
        "LastModifiedTime",
        "EndpointStatus",
    ),
)


#: Its words are seen in refusals that clients look for ("Could not find inference component"). That
#: its ARN is lower-cased, too, is unverified.
COMPONENT = Kind(
    name="inference-component",
    words="inference component",
    summary=(
        "CreationTime",
        "InferenceComponentArn",
        "InferenceComponentName",
        "EndpointArn",
        "EndpointName",
        "VariantName",
        "InferenceComponentStatus",
        "LastModifiedTime",
    ),
)


def config_key(region: str, name: str) -> Key:
    """Return what names an endpoint configuration in the store."""
    return Key(region=region, kind=CONFIG.name, name=name)


def variants_of(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the variants of a configuration, its shadows last."""
    for member in VARIANTS:
        yield from config.get(member) or ()


def with_document(resource: Resource, document: Document) -> Resource:
    """Return the resource with another document, and the status and time that it tells."""
    kind: Any = resource.key.kind
    return replace(
        resource,
        document=document,
        status=document[states.STATUSES[kind].member],
        modified=document["LastModifiedTime"],
    )


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The resources of one kind."""

    platform: Platform
    kind: Kind

    def arn(self, caller: Caller, name: str) -> str:
        """Return the ARN that a name has: it is lower-cased. Source:
        aws/amazon-sagemaker-examples#293.
        """
        return caller.arn(self.kind.name, name.lower())

    def key(self, caller: Caller, name: str) -> Key:
        """Return what names a resource in the store."""
        return Key(region=caller.region, kind=self.kind.name, name=name)

    def refuse_taken(self, caller: Caller, name: str) -> None:
        """Refuse a name that is taken; one that differs in case only has the same ARN."""
        if self.platform.resources.alike(self.key(caller, name)) is not None:
            raise Refused(messages.already_existing(self.kind.words, self.arn(caller, name)))

    def add(self, caller: Caller, resource: Resource, tags: Sequence[Mapping[str, Any]]) -> str:
        """Store a new resource with its tags, and return its ARN; or refuse a taken name."""
        arn = self.arn(caller, resource.key.name)
        with self.platform.resources.together():
            self.refuse_taken(caller, resource.key.name)
            self.platform.resources.add(resource)
            self.platform.tags.add(arn, tags)
        return arn

    def found(self, caller: Caller, name: str) -> Resource:
        """Return the resource of that name, or refuse: there is none."""
        resource = self.platform.resources.get(self.key(caller, name))
        if resource is None:
            raise Refused(self.absent(caller, name))
        return resource

    def change(
        self,
        caller: Caller,
        key: Key,
        change: Callable[[Document], Document],
        *,
        at_rest: Sequence[str],
        busy: Callable[[str], ServiceError],
    ) -> str:
        """Change the document of a resource whose status is one of ``at_rest``, and return its ARN;
        refuse one of another status, which is ``busy``, as one step.
        """
        arn = self.arn(caller, key.name)

        def changed(found: Resource) -> Resource:
            if found.status not in at_rest:
                raise Refused(busy(arn))
            return with_document(found, change(found.document))

        if self.platform.resources.change(key, changed) is None:
            raise Refused(self.absent(caller, key.name))
        return arn

    def absent(self, caller: Caller, name: str) -> Any:
        """Return the refusal for a name that names nothing."""
        return messages.could_not_find(self.kind.words, self.arn(caller, name))

    def delete(self, key: Key, arn: str) -> None:
        """Delete a resource, and its tags."""
        with self.platform.resources.together():
            self.platform.resources.delete(key)
            self.platform.tags.remove_all(arn)
