"""Application Auto Scaling: bounds, policies and their steps, scheduled actions, pages.

Terraform's issues are where the words about steps were seen; EC2's Auto Scaling has the same ones.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part
from sagedock.api.rules.sources import GITHUB
from sagedock.api.scaling import MOST_STEPS, PAGE_OF_POLICIES, PAGE_SIZE, PREDEFINED

__all__ = ["DESCRIBE", "DESCRIBE_POLICIES", "POLICY", "SCHEDULED_ACTION", "TARGET"]

_API = "https://docs.aws.amazon.com/autoscaling/application/APIReference/"
_STEP = "StepScalingPolicyConfiguration"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_LARGEST = 2.0**360


def _swapped_bounds(request: Request) -> Finding:
    low, high = request.get("MinCapacity"), request.get("MaxCapacity")
    return BROKEN if low is not None and high is not None and high < low else None


def _swapped_action(request: Request) -> Finding:
    return _swapped_bounds(part(request, "ScalableTargetAction"))


def _negative(request: Request) -> Finding:
    bounds = (request.get("MinCapacity"), request.get("MaxCapacity"))
    return BROKEN if any(each is not None and each < 0 for each in bounds) else None


def _negative_action(request: Request) -> Finding:
    return _negative(part(request, "ScalableTargetAction"))


def _no_bound(request: Request) -> Finding:
    action = request.get("ScalableTargetAction")
    return BROKEN if action is not None and not action else None


def _start_after_end(request: Request) -> Finding:
    start, end = request.get("StartTime"), request.get("EndTime")
    return BROKEN if start is not None and end is not None and start >= end else None


def _other_configuration(request: Request) -> Finding:
    kind = request.get("PolicyType")
    wrong = {"StepScaling": _TRACKING, "TargetTrackingScaling": _STEP}.get(kind or "")
    both = request.get(_STEP) is not None and request.get(_TRACKING) is not None
    if both or (wrong and request.get(wrong) is not None):
        return {"kind": kind or "any type"}
    return None


def _not_one_metric(request: Request) -> Finding:
    tracking = request.get(_TRACKING)
    if tracking is None:
        return None
    names = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    given = [name for name in names if tracking.get(name) is not None]
    return BROKEN if len(given) != 1 else None


def _strange_target(request: Request) -> Finding:
    value = part(request, _TRACKING).get("TargetValue")
    return BROKEN if value is not None and not 1 / _LARGEST <= value <= _LARGEST else None


def _foreign_metric(request: Request) -> Finding:
    predefined = part(part(request, _TRACKING), "PredefinedMetricSpecification")
    name = predefined.get("PredefinedMetricType")
    if name is None:
        return None
    metric = PREDEFINED.get(name)
    dimension = request.get("ScalableDimension")
    return {"name": name} if metric is None or metric.dimension.name != dimension else None


def _resource_label(request: Request) -> Finding:
    predefined = part(part(request, _TRACKING), "PredefinedMetricSpecification")
    return BROKEN if predefined.get("ResourceLabel") is not None else None


def _incomplete_metric(request: Request) -> Finding:
    custom = part(request, _TRACKING).get("CustomizedMetricSpecification")
    if custom is None or custom.get("Metrics") is not None:
        return None
    missing = [each for each in ("MetricName", "Namespace", "Statistic") if not custom.get(each)]
    return {"names": ", ".join(missing)} if missing else None


def _negative_cooldown(request: Request) -> Finding:
    tracking = part(request, _TRACKING)
    cooldowns = [tracking.get(f"Scale{way}Cooldown") for way in ("In", "Out")]
    cooldowns.append(part(request, _STEP).get("Cooldown"))
    return BROKEN if any(each is not None and each < 0 for each in cooldowns) else None


def _steps(request: Request) -> list[Request]:
    return list(part(request, _STEP).get("StepAdjustments") or ())


def _low(step: Request) -> float:
    return float(step.get("MetricIntervalLowerBound", -math.inf))


def _high(step: Request) -> float:
    return float(step.get("MetricIntervalUpperBound", math.inf))


def _no_steps(request: Request) -> Finding:
    step = request.get(_STEP)
    return BROKEN if step is not None and not step.get("StepAdjustments") else None


def _no_adjustment_type(request: Request) -> Finding:
    step = request.get(_STEP)
    return BROKEN if step is not None and not step.get("AdjustmentType") else None


def _too_many_steps(request: Request) -> Finding:
    return BROKEN if len(_steps(request)) > MOST_STEPS else None


def _boundless(request: Request) -> Finding:
    both = any(math.isinf(_low(step)) and math.isinf(_high(step)) for step in _steps(request))
    return BROKEN if both else None


def _upside_down(request: Request) -> Finding:
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    steps = _steps(request)
    endless = any(not math.isfinite(step[name]) for step in steps for name in names if name in step)
    return BROKEN if endless or any(_low(step) >= _high(step) for step in steps) else None


def _overlap(request: Request) -> Finding:
    return _between(request, lambda end, begin: begin < end)


def _gap(request: Request) -> Finding:
    return _between(request, lambda end, begin: begin > end)


def _between(request: Request, wrong: Callable[[float, float], bool]) -> Finding:
    """Return a finding if the end of a step and the beginning of the next are ``wrong``."""
    steps = sorted(_steps(request), key=_low)
    pairs = pairwise(steps)
    return BROKEN if any(wrong(_high(one), _low(other)) for one, other in pairs) else None


def _open_below(request: Request) -> Finding:
    lows = [_low(step) for step in _steps(request)]
    return BROKEN if min(lows, default=0) < 0 and -math.inf not in lows else None


def _open_above(request: Request) -> Finding:
    highs = [_high(step) for step in _steps(request)]
    return BROKEN if max(highs, default=0) > 0 and math.inf not in highs else None


def _negative_exact(request: Request) -> Finding:
    exact = part(request, _STEP).get("AdjustmentType") == "ExactCapacity"
    negative = any(step["ScalingAdjustment"] < 0 for step in _steps(request))
    return BROKEN if exact and negative else None


def _page_size(request: Request) -> Finding:
    return _not_within(request, PAGE_SIZE)


def _page_of_policies(request: Request) -> Finding:
    return _not_within(request, PAGE_OF_POLICIES)


def _not_within(request: Request, most: int) -> Finding:
    wanted = request.get("MaxResults")
    return BROKEN if wanted is not None and not 1 <= wanted <= most else None


def _dimension_alone(request: Request) -> Finding:
    resources = request.get("ResourceId") or request.get("ResourceIds")
    return BROKEN if request.get("ScalableDimension") and not resources else None


def _rule(
    fields: tuple[str, ...], finding: Callable[[Request], Finding], message: str, page: str
) -> Rule:
    """Return a rule that the API reference states in words which nobody was seen to receive."""
    return Rule(
        fields=fields, finding=finding, message=message, source=f"{_API}{page}.html", verified=False
    )


def _seen(finding: Callable[[Request], Finding], message: str, where: str) -> Rule:
    """Return a rule about steps whose words were seen."""
    return Rule(
        fields=(f"{_STEP}.StepAdjustments",),
        finding=finding,
        message=message,
        source=GITHUB + where,
        verified=True,
    )


_BOUNDS = ("MinCapacity", "MaxCapacity")
_ACTION = ("ScalableTargetAction",)
_SWAPPED = "Maximum capacity cannot be less than minimum capacity"
_BELOW_ZERO = "Minimum and maximum capacity must be 0 or more"

TARGET: tuple[Rule, ...] = (
    _rule(_BOUNDS, _negative, _BELOW_ZERO, "API_RegisterScalableTarget"),
    _rule(_BOUNDS, _swapped_bounds, _SWAPPED, "API_RegisterScalableTarget"),
)
SCHEDULED_ACTION: tuple[Rule, ...] = (
    Rule(
        fields=_ACTION,
        finding=_no_bound,
        message="At least one of minimum capacity and maximum capacity should be provided",
        source=GITHUB + "aws-cloudformation/community-registry-extensions/issues/255",
        verified=True,
    ),
    _rule(_ACTION, _negative_action, _BELOW_ZERO, "API_ScalableTargetAction"),
    _rule(_ACTION, _swapped_action, _SWAPPED, "API_ScalableTargetAction"),
    _rule(
        ("StartTime", "EndTime"),
        _start_after_end,
        "StartTime must be before EndTime",
        "API_PutScheduledAction",
    ),
)
POLICY: tuple[Rule, ...] = (
    _rule(
        ("PolicyType", _STEP, _TRACKING),
        _other_configuration,
        "A policy of {kind} takes the configuration of that type alone",
        "API_PutScalingPolicy",
    ),
    _rule(
        (_TRACKING,),
        _not_one_metric,
        "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be "
        "specified",
        "API_TargetTrackingScalingPolicyConfiguration",
    ),
    _rule(
        (f"{_TRACKING}.TargetValue",),
        _strange_target,
        "TargetValue must be above 0, and between 2^-360 and 2^360",
        "API_TargetTrackingScalingPolicyConfiguration",
    ),
    _rule(
        (f"{_TRACKING}.PredefinedMetricSpecification", "ScalableDimension"),
        _foreign_metric,
        "The predefined metric type {name} is not supported for this scalable dimension",
        "API_PredefinedMetricSpecification",
    ),
    _rule(
        (f"{_TRACKING}.PredefinedMetricSpecification.ResourceLabel",),
        _resource_label,
        "ResourceLabel goes with ALBRequestCountPerTarget only",
        "API_PredefinedMetricSpecification",
    ),
    _rule(
        (f"{_TRACKING}.CustomizedMetricSpecification",),
        _incomplete_metric,
        "A customized metric needs Metrics, or else {names}",
        "API_CustomizedMetricSpecification",
    ),
    _rule(
        (f"{_TRACKING}.ScaleInCooldown", f"{_TRACKING}.ScaleOutCooldown", f"{_STEP}.Cooldown"),
        _negative_cooldown,
        "A cooldown must be 0 seconds or more",
        "API_TargetTrackingScalingPolicyConfiguration",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _no_steps,
        "At least one StepAdjustment is required",
        "API_StepScalingPolicyConfiguration",
    ),
    _rule(
        (f"{_STEP}.AdjustmentType",),
        _no_adjustment_type,
        "AdjustmentType is required",
        "API_StepScalingPolicyConfiguration",
    ),
    _seen(
        _too_many_steps,
        f"There can be at most {MOST_STEPS} step adjustments per scaling policy",
        "aws/aws-cdk/issues/27020",
    ),
    _seen(
        _boundless,
        "Both lower and upper bounds of a step adjustment cannot be left unspecified",
        "hashicorp/terraform-provider-aws/issues/4812",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _upside_down,
        "The upper bound of a StepAdjustment must be greater than its lower bound",
        "API_StepAdjustment",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _overlap,
        "StepAdjustment intervals can't overlap",
        "API_StepAdjustment",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _gap,
        "StepAdjustment intervals can't have gaps between them",
        "API_StepAdjustment",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _open_below,
        "There must be a StepAdjustment with an unspecified lower bound (i.e., lower bound is "
        "null) when one StepAdjustment has a negative lower bound",
        "API_StepAdjustment",
    ),
    _seen(
        _open_above,
        "There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is "
        "null) when one StepAdjustment has a positive upper bound",
        "hashicorp/terraform-provider-aws/issues/9077",
    ),
    _rule(
        (f"{_STEP}.StepAdjustments",),
        _negative_exact,
        "ScalingAdjustment must not be negative with ExactCapacity",
        "API_StepAdjustment",
    ),
)
_RANGE = "MaxResults must be between 1 and "
DESCRIBE: tuple[Rule, ...] = (
    _rule(("MaxResults",), _page_size, f"{_RANGE}{PAGE_SIZE}", "API_DescribeScalableTargets"),
    _rule(
        ("ScalableDimension",),
        _dimension_alone,
        "A resource ID must be specified with a scalable dimension",
        "API_DescribeScalableTargets",
    ),
)
DESCRIBE_POLICIES: tuple[Rule, ...] = (
    _rule(
        ("MaxResults",),
        _page_of_policies,
        f"{_RANGE}{PAGE_OF_POLICIES}",
        "API_DescribeScalingPolicies",
    ),
    DESCRIBE[1],
)
