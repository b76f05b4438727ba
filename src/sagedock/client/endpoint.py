"""One endpoint: looked at, changed, scaled, deleted."""

from collections.abc import Mapping
from typing import Any

from sagedock.api import scaling, states
from sagedock.client.patience import Clock, patiently
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.errors import JobFailed

__all__ = ["Endpoint"]

_SERVES = "InService"


class Endpoint:
    """An endpoint by its name. Nothing is asked before a method needs it."""

    def __init__(
        self, name: str, *, session: Session | None = None, show: Show = to_stdout
    ) -> None:
        self.name = name
        self.session = session or Session()
        self._show = show

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r})"

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeEndpoint. Raises InvalidRequest for an unknown one."""
        with explained(self.session.target):
            return self._describe()

    def wait(self, *, clock: Clock | None = None) -> Mapping[str, Any]:
        """Return its description once it serves, showing each state meanwhile.

        Raises JobFailed with the service's FailureReason if it does not get there.
        """
        clock, pace, shown = clock or Clock(), self.session.place.pace, ""
        while True:
            with explained(self.session.target):
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
                raise JobFailed(self.name, status, found.get("FailureReason", ""))
            clock.sleep(pace.poll_s)

    def set_instances(self, count: int, *, variant: str = "AllTraffic") -> None:
        """Let a variant have ``count`` instances, and return at once; ``wait`` waits for them."""
        desired = [{"VariantName": variant, "DesiredInstanceCount": count}]
        with explained(self.session.target):
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=self.name, DesiredWeightsAndCapacities=desired
            )

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
        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
        """
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
        with explained(self.session.target):
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

    def delete(self, *, config: bool = True, models: bool = False) -> None:
        """Delete it, and its configuration, and, if asked, the models of its variants."""
        with explained(self.session.target):
            name = self._sagemaker.describe_endpoint(EndpointName=self.name)["EndpointConfigName"]
            found = self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
            self._sagemaker.delete_endpoint(EndpointName=self.name)
            if config:
                self._sagemaker.delete_endpoint_config(EndpointConfigName=name)
            for model in {each.get("ModelName") for each in found["ProductionVariants"]}:
                if models and model:
                    self._sagemaker.delete_model(ModelName=model)

    def _describe(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._sagemaker.describe_endpoint(EndpointName=self.name)
        return answer

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")
