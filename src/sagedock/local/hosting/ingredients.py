"""What an endpoint is made of, deleted while it is created: it does not come to service.

It stays in Creating for an hour, and fails then. Source: row 49 of aws-answers' page on the rest;
its FailureReason is not told there.
"""

from sagedock.local.hosting import reasons
from sagedock.local.hosting.names import CONFIG, MODEL, variants_of
from sagedock.local.resources import Key, Resources

__all__ = ["LINGERS_S", "missing_ingredient"]

LINGERS_S = 3600.0


def missing_ingredient(resources: Resources, region: str, config: str) -> str | None:
    """Return why an endpoint of the configuration of that name fails: it, or one of its models, is
    there no more; or None.
    """
    found = resources.get(Key(region=region, kind=CONFIG.name, name=config))
    if found is None:
        return reasons.deleted_meanwhile(CONFIG.words, config)
    for variant in variants_of(found.request):
        name = variant.get("ModelName")
        if name and resources.get(Key(region=region, kind=MODEL.name, name=name)) is None:
            return reasons.deleted_meanwhile(MODEL.words, name)
    return None
