"""CloudWatch: metrics of our own namespaces are ours, everything else is moto's.

``application``  who answers a call, in whichever protocol it came
``operations``   what we answer
``protocols``    CBOR, JSON and the query protocol
"""

from sagedock.local.cloudwatch.application import CloudWatch
from sagedock.local.cloudwatch.operations import OPERATIONS
from sagedock.local.cloudwatch.protocols import is_call

__all__ = ["OPERATIONS", "CloudWatch", "is_call"]
