"""Why an engine could not push, in words that say what to do."""

from sagedock.errors import EngineError, PushFailed
from sagedock.images.push_plan import Planned

__all__ = ["explained_failure"]

#: What engines and registries say, and what to do then, the first that fits.
_REMEDIES = (
    ("tag is immutable", "another image has this tag by now: push this one with another --tag"),
    ("repository is immutable", "another image has this tag by now: push it with another --tag"),
    (
        "not authorized to perform",
        "ask for that permission, or let the repository's policy allow it to your role",
    ),
    ("authorization token has expired", "push again: a new one is fetched"),
    ("no basic auth credentials", "push again: the registry has not seen the password"),
    ("unauthorized", "the registry does not take the password: check the account and the region"),
    ("no space left on device", "the disk is full: remove images with `docker image prune`"),
    ("docker-registry", "then push again"),
    ("connection refused", "nothing answers there: see that it runs, and push again"),
    ("no such host", "check the region and the network"),
    ("timeout", "check the network, and push again: it goes on where it stopped"),
)
_OTHERWISE = "push again: layers that arrived are not sent again"


def explained_failure(planned: Planned, error: EngineError) -> PushFailed:
    """Return an engine's failure with the remedy that is known for it."""
    said = str(error)
    remedy = next((do for words, do in _REMEDIES if words in said.lower()), _OTHERWISE)
    where = planned.registry.region
    return PushFailed(f"{planned.name} was not pushed to {where}: {said}: {remedy}")
