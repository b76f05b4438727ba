"""The variables that point AWS clients at the local SageMaker, outside containers and inside."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sagedock.contract import variables

__all__ = ["SDK_CONFIG", "client_variables", "container_variables", "write_sdk_config"]

#: Any credentials are accepted; these say plainly that they are none.
_ACCESS_KEY = "local"
#: Programs read one spelling or the other; all read these two.
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_NO_PROXY = ("NO_PROXY", "no_proxy")
_SDK_CONFIG = """\
SchemaVersion: '1.0'
SageMaker:
  TrainingJob:
    RoleArn: arn:aws:iam::{account}:role/sagedock
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: {bucket}
"""
SDK_CONFIG = "sagemaker-sdk.yaml"


def container_variables(url: str) -> Mapping[str, str]:
    """Return what a container needs to reach the local AWS at ``url``.

    S3_ENDPOINT_URL is the name that sagemaker-training reads.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        variables.S3_ENDPOINT_URL.name: url,
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client_variables(
    url: str, *, region: str, home: Path, environ: Mapping[str, str] = os.environ
) -> Mapping[str, str]:
    """Return what makes boto3, the AWS CLI and the SageMaker SDKs of this machine use ``url``.

    The SDKs ask STS at a fixed address for the name of a default bucket, and send telemetry:
    their own configuration file, written into ``home``, stops both. SAGEDOCK_HOME tells our own
    client where the local S3's files lie. Where ``environ`` names a proxy, ``url``
    is excepted from it.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(home / SDK_CONFIG),
        "SAGEDOCK_HOME": str(home),
        **_past_the_proxy(urlsplit(url).hostname or "", environ),
    }


def _past_the_proxy(host: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what keeps a proxy's users from asking it for ``host``; nothing without a proxy."""
    known = next((environ[name] for name in _NO_PROXY if environ.get(name)), "")
    if known.strip() == "*" or not any(environ.get(name) for name in _PROXIES):
        return {}
    hosts = [each.strip() for each in known.split(",") if each.strip()]
    if host not in hosts:
        hosts.append(host)
    return dict.fromkeys(_NO_PROXY, ",".join(hosts))


def write_sdk_config(home: Path, *, region: str, account: str) -> None:
    """Write the configuration file that ``client_variables`` names."""
    bucket = f"sagemaker-{region}-{account}"
    config = _SDK_CONFIG.format(bucket=bucket, account=account)
    (home / SDK_CONFIG).write_text(config, encoding="utf-8")
