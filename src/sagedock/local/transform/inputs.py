"""Which objects a job transforms, and where each one's output goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.s3 import ObjectStore
from sagedock.local.training.channels import relative_path
from sagedock.local.training.inputs import Input, Share
from sagedock.local.training.sources import Source
from sagedock.local.transform.assembling import output_key
from sagedock.local.uris import S3Uri

__all__ = ["InputObject", "input_objects", "input_uri"]

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class InputObject:
    """One object to transform, and the key of its output."""

    uri: S3Uri
    output: S3Uri

    @property
    def told(self) -> str:
        """How the data log names it."""
        return f"{self.uri.bucket}/{self.uri.key}"


def input_uri(request: Request) -> S3Uri:
    """Return the prefix, or the manifest, that a job reads."""
    return S3Uri.parse(request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])


def input_objects(
    store: ObjectStore, region: str, request: Request, share: Share
) -> Iterator[InputObject]:
    """Yield the objects of one instance: the keys are dealt out one by one (unverified; source for
    "partitions the objects by key": https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html).

    Raises ChannelUnreadable.
    """
    data_type = request["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"]
    target = S3Uri.parse(request["TransformOutput"]["S3OutputPath"])
    source = Source(store=store, region=region)
    found = source.listed(
        Input(name="input", mode="File", hosts=(), uri=input_uri(request), data_type=data_type)
    )
    for position, (uri, prefix) in enumerate(found):
        if share.takes(position):
            relative = relative_path(prefix.key, uri.key)
            yield InputObject(uri=uri, output=target / output_key(relative))
