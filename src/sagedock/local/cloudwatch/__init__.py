"""CloudWatch: metrics of our own namespaces, and alarms that scale or watch them, are ours; the
rest is moto's.

``application``  who answers a call, in whichever protocol it came
``operations``   what we answer
``protocols``    CBOR, JSON and the query protocol
"""

from sagedock.local.cloudwatch.application import CloudWatch, OurAlarms
from sagedock.local.cloudwatch.operations import OPERATIONS
from sagedock.local.cloudwatch.protocols import is_call

__all__ = ["OPERATIONS", "CloudWatch", "OurAlarms", "is_call"]
