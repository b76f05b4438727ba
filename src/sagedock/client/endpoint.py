"""One endpoint: looked at, changed, scaled, deleted."""

from collections.abc import Mapping
from typing import Any

from sagedock.api import scaling, states
from sagedock.client.counts import problems_in_emptiness, refuse_counts
from sagedock.client.existing import endpoint_explained
from sagedock.client.existing import found as found_there
from sagedock.client.patience import Clock, patiently
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.errors import InvalidRequest, JobFailed

__all__ = ["Endpoint"]

_SERVES, _FAILED, _LEAVES = "InService", "Failed", "Deleting"
_VARIANTS = "ProductionVariants"


class Endpoint:
    """An endpoint by its name. Nothing is asked before a method needs it.

    Raises InvalidRequest for what is no name.
    """

    def __init__(
        self, name: str, *, session: Session | None = None, show: Show = to_stdout
    ) -> None:
        if not isinstance(name, str) or not name:
            raise InvalidRequest(
                [f"endpoint_name: {name!r} is no name: give the one that it was deployed with"]
            )
        self.name = name
        self.session = session or Session()
        self._show = show

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r})"

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeEndpoint. Raises InvalidRequest for an unknown one."""
        with endpoint_explained(self.session):
            return self._describe()

    def wait(self, *, clock: Clock | None = None) -> Mapping[str, Any]:
        """Return its description once it serves, showing each state meanwhile.

        Raises JobFailed with the service's FailureReason if it does not get there, and how to
        remove what is left of it.
        """
        clock, pace, shown = clock or Clock(), self.session.place.pace, ""
        while True:
            with endpoint_explained(self.session):
                found = patiently(
                    self._describe, patience_s=pace.patience_s, clock=clock, show=self._show
                )
            status = found["EndpointStatus"]
            if status != shown:
                self._show(f"[{found['LastModifiedTime']:%H:%M:%S}] {status}")
                shown = status
            if status == _SERVES:
                return found
            if states.is_terminal("endpoint", status):
                raise JobFailed(
                    self.name, status, found.get("FailureReason", ""), remedy=self._remedy(status)
                )
            clock.sleep(pace.poll_s)

    def set_instances(self, count: int, *, variant: str = "AllTraffic", wait: bool = True) -> None:
        """Let a variant have ``count`` instances; return once it has them, or at once."""
        refuse_counts(count=count)
        self._require_instances(variant, count=count)
        desired = [{"VariantName": variant, "DesiredInstanceCount": count}]
        with endpoint_explained(self.session):
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=self.name, DesiredWeightsAndCapacities=desired
            )
        if wait:
            self.wait()

    def autoscale(
        self,
        min_instances: int,
        max_instances: int,
        target: float,
        *,
        metric: str = "SageMakerVariantInvocationsPerInstance",
        variant: str = "AllTraffic",
        scale_in_cooldown: int | None = None,
        scale_out_cooldown: int | None = None,
    ) -> str:
        """Keep ``metric`` near ``target`` with that many instances; return the policy's ARN.

        The default metric counts invocations per instance and minute. Cooldowns are seconds, the
        service's own (300) where None.
        Raises InvalidRequest for ``min_instances`` 0 where the endpoint cannot be without any.
        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
        """
        refuse_counts(min_instances=min_instances, max_instances=max_instances)
        self._require_instances(variant, min_instances=min_instances)
        resource = {
            "ServiceNamespace": scaling.NAMESPACE,
            "ResourceId": f"endpoint/{self.name}/variant/{variant}",
            "ScalableDimension": scaling.VARIANT.name,
        }
        policy: dict[str, Any] = {
            "TargetValue": float(target),
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        }
        if scale_in_cooldown is not None:
            policy["ScaleInCooldown"] = scale_in_cooldown
        if scale_out_cooldown is not None:
            policy["ScaleOutCooldown"] = scale_out_cooldown
        client = self.session.client(scaling.AUTOSCALING)
        with endpoint_explained(self.session):
            client.register_scalable_target(
                **resource, MinCapacity=min_instances, MaxCapacity=max_instances
            )
            answer = client.put_scaling_policy(
                **resource,
                PolicyName=f"{self.name}-{variant}-{metric}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=policy,
            )
        arn: str = answer["PolicyARN"]
        return arn

    def delete(
        self, *, config: bool = True, models: bool = False, clock: Clock | None = None
    ) -> None:
        """Delete it, and its configuration, and, if asked, the models of its variants.

        The service refuses that during a change: the end of one that is under way is awaited.
        """
        with endpoint_explained(self.session):
            name = self._settled(clock or Clock())["EndpointConfigName"]
            there = found_there(self._sagemaker.describe_endpoint_config, EndpointConfigName=name)
            self._sagemaker.delete_endpoint(EndpointName=self.name)
            if config and there is not None:
                self._sagemaker.delete_endpoint_config(EndpointConfigName=name)
            for model in _models_of(there or {}) if models else ():
                self._sagemaker.delete_model(ModelName=model)

    def _settled(self, clock: Clock) -> Mapping[str, Any]:
        """Return its description once no change of it is under way."""
        told = ""
        while (status := (found := self._describe())["EndpointStatus"]) != _LEAVES:
            if states.is_terminal("endpoint", status):
                break
            if status != told:
                self._show(f"{self.name} is {status}: it is deleted once that has ended")
                told = status
            clock.sleep(self.session.place.pace.poll_s)
        return found

    def _remedy(self, status: str) -> str:
        if status != _FAILED:
            return ""
        return (
            "the endpoint, its configuration and its models are still there: "
            f"Endpoint({self.name!r}).delete(models=True) deletes them"
        )

    def _require_instances(self, variant: str, **least: int) -> None:
        """Raise InvalidRequest for a variant that is not there, or is serverless; or that cannot
        have as few instances as the parameter ``least`` says.
        """
        found = self.describe()
        there = {each["VariantName"]: each for each in found.get(_VARIANTS, ())}
        if there and variant not in there:
            known = ", ".join(there)
            raise InvalidRequest([f"variant: {self.name} has no {variant!r}: it has {known}"])
        if there.get(variant, {}).get("CurrentServerlessConfig"):
            raise InvalidRequest(
                [
                    f"variant: {variant!r} of {self.name} is serverless: it has no instances, and "
                    "starts containers as it is called, up to Serverless(max_concurrency=...)"
                ]
            )
        if told := problems_in_emptiness(found, there.get(variant, {}), **least):
            raise InvalidRequest(told)

    def _describe(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._sagemaker.describe_endpoint(EndpointName=self.name)
        return answer

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")


def _models_of(config: Mapping[str, Any]) -> set[str]:
    variants = [*config.get(_VARIANTS, ()), *config.get("ShadowProductionVariants", ())]
    return {each["ModelName"] for each in variants if each.get("ModelName")}
