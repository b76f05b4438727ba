"""CreateTrainingJob: the parts it needs, machines, spot and time limits."""

from sagedock.api.check import Problem, validation_message
from sagedock.api.constraints import MUST_NOT_BE_NULL, Kind
from sagedock.api.place import TOP, Place
from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE

__all__ = ["RULES"]

#: The model required these until serverless jobs came, which have none of them.
_PARTS = ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition")


def _missing_parts(request: Request) -> Finding:
    missing = [name for name in _PARTS if request.get(name) is None]
    if not missing or request.get("ServerlessJobConfig") is not None:
        return None
    return {"text": validation_message([_null(name) for name in missing])}


def _null(name: str) -> Problem:
    return Problem(
        path=TOP.of_member(name).path,
        member=name,
        shown="null ",
        constraint=MUST_NOT_BE_NULL,
        kind=Kind.REQUIRED,
    )


def _resources(request: Request) -> Request:
    return part(request, "ResourceConfig")


#: Types of the enum that no region offers for training.
_NOT_OFFERED = frozenset({"ml.t3.medium"})


def _not_offered(request: Request) -> Finding:
    resources = _resources(request)
    groups = resources.get("InstanceGroups") or ()
    types = [resources.get("InstanceType"), *(group.get("InstanceType") for group in groups)]
    found = [each for each in types if each in _NOT_OFFERED]
    return {"type": str(found[0])} if found else None


def _is_spot(request: Request) -> bool:
    return bool(request.get("EnableManagedSpotTraining"))


def _wait_without_spot(request: Request) -> Finding:
    waits = part(request, "StoppingCondition").get("MaxWaitTimeInSeconds") is not None
    return BROKEN if waits and not _is_spot(request) else None


def _spot_wait_too_short(request: Request) -> Finding:
    limits = part(request, "StoppingCondition")
    wait, run = limits.get("MaxWaitTimeInSeconds"), limits.get("MaxRuntimeInSeconds")
    enough = wait is not None and (run is None or wait >= run)
    return BROKEN if _is_spot(request) and not enough else None


def _groups_and_type(request: Request) -> Finding:
    resources = _resources(request)
    single = resources.get("InstanceType") or resources.get("InstanceCount")
    return BROKEN if resources.get("InstanceGroups") and single else None


def _no_machines(request: Request) -> Finding:
    resources = _resources(request)
    several = resources.get("InstanceGroups") or resources.get("InstancePreferences")
    single = resources.get("InstanceType") and resources.get("InstanceCount") is not None
    wanted = request.get("ResourceConfig") is not None
    return BROKEN if wanted and not several and not single else None


def _no_instances(request: Request) -> Finding:
    resources, at = _resources(request), TOP.of_member("ResourceConfig")
    places = [(resources, at)]
    for index, group in enumerate(resources.get("InstanceGroups") or ()):
        places.append((group, at.of_member("InstanceGroups").of_item(index)))
    empty = [place for counted, place in places if counted.get("InstanceCount") == 0]
    return {"text": validation_message([_zero(place) for place in empty])} if empty else None


def _zero(place: Place) -> Problem:
    counted = place.of_member("InstanceCount")
    return Problem(
        path=counted.path,
        member=counted.member,
        shown="'0' ",
        constraint="Member must have value greater than or equal to 1",
        kind=Kind.VALUE,
    )


def _repeated_groups(request: Request) -> Finding:
    groups = _resources(request).get("InstanceGroups") or ()
    return repeated(group["InstanceGroupName"] for group in groups)


def _preferences_and_others(request: Request) -> Finding:
    resources = _resources(request)
    others = ("InstanceType", "InstanceGroups", "InstancePlacementConfig")
    clash = _is_spot(request) or any(resources.get(name) for name in others)
    return BROKEN if resources.get("InstancePreferences") and clash else None


def _read_only(request: Request) -> Finding:
    resources = _resources(request)
    given = [
        name
        for name in ("SelectedInstanceType", "SelectedInstanceCount")
        if resources.get(name) is not None
    ]
    return {"names": ", ".join(given)} if given else None


def _warm_spot(request: Request) -> Finding:
    kept = _resources(request).get("KeepAlivePeriodInSeconds")
    return BROKEN if kept and _is_spot(request) else None


def _warm_groups(request: Request) -> Finding:
    resources = _resources(request)
    kept = resources.get("KeepAlivePeriodInSeconds")
    return BROKEN if kept and resources.get("InstanceGroups") else None


RULES: tuple[Rule, ...] = (
    Rule(
        fields=_PARTS,
        finding=_missing_parts,
        message="{text}",
        source=API + "API_CreateTrainingJob.html",
        verified=False,
    ),
    Rule(
        fields=("StoppingCondition.MaxWaitTimeInSeconds", "EnableManagedSpotTraining"),
        finding=_wait_without_spot,
        message=(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is "
            "set to true"
        ),
        source=GITHUB + "Kenza-AI/sagify/issues/111",  # aws-answers row 14
        verified=True,
    ),
    Rule(
        fields=("StoppingCondition", "EnableManagedSpotTraining"),
        finding=_spot_wait_too_short,
        # Users quote "It must be present and be greater than or equal to MaxRuntimeInSeconds" in
        # their code; nobody was seen to paste the whole.
        message=(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        ),
        source=API + "API_StoppingCondition.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig",),
        finding=_groups_and_type,
        message="InstanceType or InstanceCount cannot be specified with InstanceGroups",
        source=GITHUB + "aws/sagemaker-python-sdk/pull/5564",
        verified=True,
    ),
    Rule(
        fields=("ResourceConfig",),
        finding=_no_machines,
        message="InstanceType and InstanceCount, or InstanceGroups, must be specified",
        source=API + "API_ResourceConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.InstanceCount", "ResourceConfig.InstanceGroups"),
        finding=_no_instances,
        # The model asked for 1 at least until the service chose counts itself.
        message="{text}",
        source=API + "API_ResourceConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.InstanceGroups",),
        finding=_repeated_groups,
        message="Instance group names must be unique. Duplicate instance group names: [{names}]",
        source=API + "API_InstanceGroup.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig", "EnableManagedSpotTraining"),
        finding=_preferences_and_others,
        message=(
            "InstancePreferences cannot be specified with InstanceType, InstanceGroups, "
            "InstancePlacementConfig or EnableManagedSpotTraining"
        ),
        source=API + "API_ResourceConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig",),
        finding=_read_only,
        message="Read-only fields are not accepted in CreateTrainingJob: [{names}]",
        source=API + "API_ResourceConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.KeepAlivePeriodInSeconds", "EnableManagedSpotTraining"),
        finding=_warm_spot,
        message="KeepAlivePeriodInSeconds is not supported with EnableManagedSpotTraining",
        source=GUIDE + "train-warm-pools.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.KeepAlivePeriodInSeconds", "ResourceConfig.InstanceGroups"),
        finding=_warm_groups,
        message="KeepAlivePeriodInSeconds is not supported with InstanceGroups",
        source=GUIDE + "train-warm-pools.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.InstanceType",),
        finding=_not_offered,
        message="The requested resource training-job/{type} is not available in this region",
        source=API + "API_ResourceConfig.html",  # aws-answers rows 5 and 149
        verified=True,
        code="ResourceLimitExceeded",
    ),
)
