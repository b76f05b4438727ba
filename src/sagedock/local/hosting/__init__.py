"""Models, endpoint configurations and endpoints, and the containers that they mean.

The control plane: ``model_operations``, ``config_operations``, ``endpoint_operations``; what they
make is carried out by ``endpoints`` (all of them), ``endpoint`` (one), ``fleet`` (one deployment
of it), ``instance`` and ``hosted_container`` (``running`` until it ends, ``checking`` whether it is
healthy); ``update`` goes from one fleet to another (``deployment``: by which steps; ``shifting``:
who gets what meanwhile; ``alarms``: what ends it). The runtime: ``runtime`` answers invocations by
``routes``, through ``connection``, or writes them down for ``asynchronous``; of ``serverless``
variants calls start the containers; ``kinds`` says what each of these excludes. ``tally`` and
``publishing`` make metrics of them. ``several`` is the way through several containers, or to one of
many models (``loaded_models``); ``shadowing`` sends copies,
``sessions`` are kept at their instances. ``components`` are inference
components. ``scaled`` is how autoscaling sees variants.
"""

from sagedock.local.hosting.components.operations import ComponentOperations
from sagedock.local.hosting.config_operations import ConfigOperations
from sagedock.local.hosting.document import answered
from sagedock.local.hosting.endpoint_operations import EndpointOperations
from sagedock.local.hosting.endpoints import Endpoints
from sagedock.local.hosting.model_operations import ModelOperations
from sagedock.local.hosting.names import COMPONENT, CONFIG, ENDPOINT, MODEL, config_key
from sagedock.local.hosting.runtime import Runtime, is_invocation
from sagedock.local.hosting.scaled import HostedFleets

__all__ = [
    "ENDPOINT",
    "SUMMARIES",
    "ComponentOperations",
    "ConfigOperations",
    "EndpointOperations",
    "Endpoints",
    "HostedFleets",
    "ModelOperations",
    "Runtime",
    "answered",
    "config_key",
    "is_invocation",
]

#: The members that lists answer, by kind.
SUMMARIES = {each.name: tuple(each.summary) for each in (COMPONENT, CONFIG, ENDPOINT, MODEL)}
