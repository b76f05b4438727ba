"""Scalable targets: register, deregister, describe; their activities; their tags."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import scaling, scaling_messages
from sagedock.local.autoscaling.activities import ACTIVITY
from sagedock.local.autoscaling.book import TARGET, Book
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.fleets import Fleets, ScalableResource
from sagedock.local.autoscaling.pages import page
from sagedock.local.caller import Caller
from sagedock.local.quotas import MOST_INSTANCES
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["TargetOperations", "refuse_too_many", "resource_of"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: Source: https://docs.aws.amazon.com/autoscaling/application/userguide/
#: application-auto-scaling-service-linked-roles.html
_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_RUNNING = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
#: Burstable machines cannot be scaled. Source: row 112 of the rest, of ml.t2; the guide names T2.
_BURSTABLE = "ml.t2."
_MOST_TAGS = 50


@dataclass(frozen=True, kw_only=True)
class TargetOperations:
    """The operations on targets. Requests arrive checked, and are about SageMaker."""

    book: Book
    fleets: Fleets
    clock: Clock

    def table(self) -> Mapping[str, Any]:
        """Return each operation's name with what carries it out."""
        return {
            "DeregisterScalableTarget": self.deregister,
            "DescribeScalableTargets": self.describe,
            "DescribeScalingActivities": self.activities,
            "ListTagsForResource": self.list_tags,
            "RegisterScalableTarget": self.register,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    def register(self, caller: Caller, request: Request) -> Answer:
        """Register a target, or change what is given of one; its capacity comes within bounds."""
        resource, now_s = resource_of(caller, request), self.clock.now_s()
        self._refuse_what_cannot_scale(resource)
        with self.book.changing():
            old = self.book.target(resource)
            target = self._new(caller, resource, request, now_s) if old is None else old
            changed = _changed(target, request)
            arn = changed.document["ScalableTargetARN"]
            self._refuse_too_many_tags(arn, request.get("Tags", {}))
            self.book.put(TARGET, resource, "", changed)
            self.book.tags.add(arn, _as_list(request.get("Tags", {})))
            self.book.remember(resource, now_s, enforce=True)
        return {"ScalableTargetARN": arn}

    def deregister(self, caller: Caller, request: Request) -> Answer:
        """Delete a target, with its policies and scheduled actions."""
        resource = resource_of(caller, request)
        target = self.book.target(resource)
        if target is None:
            named = (resource.resource_id, resource.dimension)
            raise Refused(scaling_messages.target_not_found(*named))
        self.book.deregister(target, self.clock.now_s())
        return {}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of targets."""
        wanted, dimension = request.get("ResourceIds"), request.get("ScalableDimension")
        found = [
            each
            for each in self.book.listed(TARGET, caller.region)
            if (not wanted or each.document["ResourceId"] in wanted)
            and dimension in (None, each.document["ScalableDimension"])
        ]
        targets, token = page(found, request, scaling.PAGE_SIZE)
        return {"ScalableTargets": [dict(each.document) for each in targets], **token}

    def activities(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of activities, the latest first."""
        wanted, dimension = request.get("ResourceId"), request.get("ScalableDimension")
        every = request.get("IncludeNotScaledActivities", False)
        oldest_s = self.clock.now_s() - scaling.KEPT_S
        found = [
            each
            for each in self.book.listed(ACTIVITY, caller.region, newest_first=True)
            if wanted in (None, each.document["ResourceId"])
            and dimension in (None, each.document["ScalableDimension"])
            and (every or "NotScaledReasons" not in each.document)
            and each.created >= oldest_s
        ]
        listed, token = page(found, request, scaling.PAGE_SIZE)
        return {"ScalingActivities": [dict(each.document) for each in listed], **token}

    def tag(self, caller: Caller, request: Request) -> Answer:
        """Add tags to a target."""
        with self.book.changing():
            arn = self._existing(caller, request)
            self._refuse_too_many_tags(arn, request["Tags"])
            self.book.tags.add(arn, _as_list(request["Tags"]))
        return {}

    def untag(self, caller: Caller, request: Request) -> Answer:
        """Remove tags of a target."""
        self.book.tags.remove(self._existing(caller, request), request["TagKeys"])
        return {}

    def list_tags(self, caller: Caller, request: Request) -> Answer:
        """Answer the tags of a target."""
        tags = self.book.tags.list(self._existing(caller, request))
        return {"Tags": {each["Key"]: each["Value"] for each in tags}}

    def _refuse_what_cannot_scale(self, resource: ScalableResource) -> None:
        fleet = self.fleets.find(resource)
        if fleet is None:
            raise Refused(scaling_messages.resource_absent(resource.resource_id))
        if fleet.instance_type is not None and fleet.instance_type.startswith(_BURSTABLE):
            raise Refused(scaling_messages.burstable_variant(fleet.instance_type))

    def _new(
        self, caller: Caller, resource: ScalableResource, request: Request, now_s: float
    ) -> Resource:
        if "MinCapacity" not in request or "MaxCapacity" not in request:
            raise Refused(scaling_messages.capacity_missing())
        name, made_s = uuid.uuid4(), round(now_s, 3)
        named = f"{scaling.AUTOSCALING}:{caller.region}:{caller.account}:scalable-target"
        document = {
            "ServiceNamespace": scaling.NAMESPACE,
            "ResourceId": resource.resource_id,
            "ScalableDimension": resource.dimension,
            "RoleARN": _ROLE.format(account=caller.account),
            "CreationTime": made_s,
            "SuspendedState": _RUNNING,
            "ScalableTargetARN": f"arn:aws:{named}/{name.hex}",
        }
        return Resource(
            key=self.book.target_key(resource),
            created=made_s,
            modified=made_s,
            status="",
            document=document,
            # What the ARNs of its policies and scheduled actions have in common.
            request={"id": str(name)},
        )

    def _refuse_too_many_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        keys = {*(each["Key"] for each in self.book.tags.list(arn)), *tags}
        if len(keys) > _MOST_TAGS:
            raise Refused(scaling_messages.too_many_tags(arn))

    def _existing(self, caller: Caller, request: Request) -> str:
        arn: str = request["ResourceARN"]
        targets = self.book.listed(TARGET, caller.region)
        if all(each.document["ScalableTargetARN"] != arn for each in targets):
            raise Refused(scaling_messages.tagged_resource_absent(arn))
        return arn


def resource_of(caller: Caller, request: Request) -> ScalableResource:
    """Return the resource that a request names, or refuse one that cannot be scaled."""
    resource = ScalableResource(
        region=caller.region,
        resource_id=request["ResourceId"],
        dimension=request["ScalableDimension"],
    )
    if resource.known:
        return resource
    serverless = resource.dimension == "sagemaker:variant:DesiredProvisionedConcurrency"
    if serverless:
        text = f"the scalable dimension {resource.dimension}: scale instances or copies"
        raise Refused(scaling_messages.not_carried_out(text))
    raise Refused(scaling_messages.unsupported_target())


def _changed(target: Resource, request: Request) -> Resource:
    """Return a target with what a request gives of it."""
    given = {name: request[name] for name in ("MinCapacity", "MaxCapacity") if name in request}
    suspended = {**target.document["SuspendedState"], **request.get("SuspendedState", {})}
    document = {**target.document, **given, "SuspendedState": suspended}
    if document["MaxCapacity"] < document["MinCapacity"]:
        raise Refused(scaling_messages.wrong_capacity())
    refuse_too_many(given)
    return replace(target, document=document)


def refuse_too_many(bounds: Mapping[str, int]) -> None:
    """Refuse bounds up to more copies than any machine runs."""
    for name in ("MaxCapacity", "MinCapacity"):
        if (asked := bounds.get(name, 0)) > MOST_INSTANCES:
            refusal = scaling_messages.too_many_copies(name, str(asked), str(MOST_INSTANCES))
            raise Refused(refusal)


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
