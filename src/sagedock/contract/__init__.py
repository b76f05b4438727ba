"""The SageMaker container contract, as data.

Three rooms read these rows: ``local`` writes every file and sets every variable that the platform
does, ``runtime`` reads them inside the container, ``verify`` checks the container's side. A fact
about the contract is typed here, once, with the page that states it, and nowhere else.

``paths``      files and folders under /opt/ml, and who writes each
``variables``  environment variables, and who sets each
``limits``     numbers: seconds, characters
``routes``     what a serving container answers over HTTP, and its port
``labels``     how an image says what it can
``network``    host names, the interface, torchrun's port
``fabric``     instance types with an Elastic Fabric Adapter: a table, loaded where it is read
``signals``    exit codes and how a container is stopped
"""

from sagedock.contract import labels, limits, network, paths, routes, signals, variables

__all__ = ["labels", "limits", "network", "paths", "routes", "signals", "variables"]
