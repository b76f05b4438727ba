"""The local SageMaker: the service's own API on 127.0.0.1, running real containers in Docker."""

from sagedock.local.cleaning import clean
from sagedock.local.control_client import control
from sagedock.local.daemon import down, running, up, up_with_program
from sagedock.local.endpoints import client_variables
from sagedock.local.home import Home, Running
from sagedock.local.hosting.unsupported import unsupported_config
from sagedock.local.metrics import Matcher, MatcherBroke
from sagedock.local.server import LocalSageMaker
from sagedock.local.settings import Settings, default_home
from sagedock.local.uris import object_file

__all__ = [
    "Home",
    "LocalSageMaker",
    "Matcher",
    "MatcherBroke",
    "Running",
    "Settings",
    "clean",
    "client_variables",
    "control",
    "default_home",
    "down",
    "object_file",
    "running",
    "unsupported_config",
    "up",
    "up_with_program",
]
