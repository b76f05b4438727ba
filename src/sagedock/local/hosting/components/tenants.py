"""The components of an endpoint, and the room that they leave."""

from collections import Counter
from collections.abc import Iterator

from sagedock.local.hosting import document as endpoints
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components.deployment import Deployment
from sagedock.local.hosting.components.placing import Held, placed
from sagedock.local.hosting.names import COMPONENT, ENDPOINT
from sagedock.local.hosting.plan import Plan
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["as_needed", "displaced", "held_for", "tenants"]


def tenants(resources: Resources, region: str, endpoint: str) -> list[Resource]:
    """Return the components of an endpoint, whatever their status."""
    return [
        each
        for each in resources.unfinished(COMPONENT.name, ())
        if each.key.region == region and each.document["EndpointName"] == endpoint
    ]


def as_needed(resources: Resources, endpoint: Key, plan: Plan) -> Plan:
    """Return an endpoint's plan with as many instances in each managed variant as copies are on,
    but as many as it has at least.
    """
    used: Counter[str] = Counter()
    for each in tenants(resources, endpoint.region, endpoint.name):
        held, variant = life.held_in(each.document), each.document["VariantName"]
        if held is not None:
            used[variant] = max([used[variant], *(at + 1 for at in held.places)])
    return plan.with_desires(
        {
            each.name: {
                "DesiredInstanceCount": max(each.managed["MinInstanceCount"], used[each.name])
            }
            for each in plan.variants
            if each.managed
        }
    )


def displaced(resources: Resources, endpoint: Key, plan: Plan) -> str | None:
    """Return the name of a component that would lose its instances where the endpoint followed
    ``plan``, or None.
    """
    for each in tenants(resources, endpoint.region, endpoint.name):
        host = plan.variant(each.document["VariantName"])
        now, held = life.deployment_in(each.document).variant, life.held_in(each.document)
        last = max(held.places, default=-1) if held else -1
        if host is None or host.instance_type != now.instance_type or last >= host.most_instances:
            return each.key.name
    return None


def held_for(resources: Resources, component: Resource, wanted: Deployment) -> Held | None:
    """Return the instances for all copies of ``wanted``, None where they do not fit. Copies that it
    has already stay where they are; those of another deployment give their room to it.
    """
    document = component.document
    now, held = life.deployment_in(document), life.held_in(document)
    is_same = held is not None and now.plan.fleet == wanted.plan.fleet
    kept = list(held.places)[: wanted.copies] if held and is_same else []
    endpoint = resources.get(
        Key(region=component.key.region, kind=ENDPOINT.name, name=document["EndpointName"])
    )
    if endpoint is None:
        return None
    host = endpoints.plan_in(endpoint.document).variant(document["VariantName"])
    if host is None:
        return None
    more = placed(
        host.instance_type,
        host.most_instances,
        [*_others(resources, component), Held(needs=wanted.needs, places=kept)],
        wanted.needs,
        wanted.copies - len(kept),
    )
    return None if more is None else Held(needs=wanted.needs, places=[*kept, *more])


def _others(resources: Resources, component: Resource) -> Iterator[Held]:
    """Yield what the other components of the same variant hold."""
    document = component.document
    for each in tenants(resources, component.key.region, document["EndpointName"]):
        is_beside = each.document["VariantName"] == document["VariantName"]
        held = life.held_in(each.document)
        if is_beside and held is not None and each.key != component.key:
            yield held
