"""Names of images: what Docker takes for one, and which are in ECR."""

import re

__all__ = ["is_in_ecr", "is_name"]

# [host/]repository[:tag][@digest]
_IMAGE = re.compile(
    r"((?P<host>[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+(:\d+)?|localhost(:\d+)?)/)?"
    r"[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
# 123456789012.dkr.ecr.us-east-1.amazonaws.com, and its FIPS, China and dual-stack forms.
_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|on\.aws)[a-z.]*")


def is_name(image: str) -> bool:
    """Say whether Docker takes ``image`` for the name of one."""
    return _IMAGE.fullmatch(image) is not None


def is_in_ecr(image: str) -> bool:
    """Say whether ``image`` is the name of one in ECR."""
    parsed = _IMAGE.fullmatch(image)
    return parsed is not None and _ECR.fullmatch(parsed["host"] or "") is not None
