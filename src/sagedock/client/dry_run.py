"""Requests that are shown, and not sent."""

import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from sagedock.client.show import Show

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel

__all__ = ["DryRequest", "DryRun", "DryRunOver"]

_PARTITION = "aws"
_READS = ("Describe", "Get", "Head", "List", "Query", "Search")
#: Only what is of these services is asked for before there is anything to wait for.
_ASKED_AT_ONCE = ("s3", "sagemaker", "sts", "application-autoscaling")
#: Keys of the request dictionary that botocore hands on from its own check to its sending.
_PARAMETERS = "sagedock_parameters"


@dataclass(frozen=True, kw_only=True)
class DryRequest:
    """A request as it would be sent: ``parameters`` are those of ``operation``, in AWS's names."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return the request as JSON has it."""
        return {
            "Service": self.service,
            "Operation": self.operation,
            "Parameters": dict(self.parameters),
        }

    def text(self) -> str:
        """Return the request as people read it."""
        told = json.dumps(self.parameters, indent=2, default=str, ensure_ascii=False)
        return f"{self.service} {self.operation} {told}"


class DryRunOver(BaseException):
    """What comes next depends on what AWS answers: the requests up to here are in ``dry_run``.

    No error, so no handler of errors takes it for one.
    """

    def __init__(self, dry_run: "DryRun") -> None:
        super().__init__("dry run: what comes next depends on what AWS answers")
        self.dry_run = dry_run


@dataclass(kw_only=True)
class DryRun:
    """Takes the place of AWS for a ``Session(dry_run=...)``: nothing leaves this machine.

    It answers as an account in which objects of S3 are there, and of SageMaker's resources none.
    Each request that would change something is checked by botocore, kept in ``requests``, and told
    to ``show``, if given. With the first question about what they would have made it is over:
    DryRunOver is raised, then and from then on. ``account`` is the 12 digits that names are made
    with.
    """

    account: str
    show: Show | None = None
    _made: list[DryRequest] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _over: bool = False
    _lock: Lock = field(default_factory=Lock)

    @property
    def requests(self) -> tuple[DryRequest, ...]:
        """What would be sent, in this order; files that go up side by side are in that of keys."""
        found: list[DryRequest] = []
        uploads: list[DryRequest] = []
        for each in self._made:
            if each.operation == "PutObject":
                uploads.append(each)
                continue
            found += sorted(uploads, key=_key)
            uploads = []
            found.append(each)
        return (*found, *sorted(uploads, key=_key))

    def attach(self, client: "BaseClient") -> None:
        """Have this answer what ``client``, one of boto3's, is asked."""
        events, service = client.meta.events, client.meta.service_model.service_name
        region = client.meta.region_name

        def remember(params: Any, context: dict[str, Any], **_: Any) -> None:
            context[_PARAMETERS] = params

        def answer(model: "OperationModel", context: Mapping[str, Any], **_: Any) -> Any:
            return self._answer(service, region, model, context[_PARAMETERS])

        events.register("before-parameter-build.*.*", remember)
        events.register("before-call.*.*", answer)
        if service == "s3":
            client.upload_file = self._upload_file
            client.upload_fileobj = self._upload_stream
            client.download_file = self._download_file
            client.copy = self._copy

    def _answer(
        self, service: str, region: str, model: "OperationModel", asked: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        name = model.name
        if self._over or service not in _ASKED_AT_ONCE:
            raise self._ended()
        if name == "GetCallerIdentity":
            return _answered({"Account": self.account})
        if not name.startswith(_READS):
            return _answered(self._changed(service, region, model, asked))
        if service == "s3":
            return self._stored(name, asked)
        if self._names & set(_texts(asked)):
            raise self._ended()
        if name.startswith("Describe"):
            return _refused(400, "ValidationException", "Could not find what is described.")
        return _answered(_empty(model))

    def _stored(self, name: str, asked: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Answer a question about S3: buckets are there once they were made, objects always."""
        if name == "HeadBucket":
            made = asked["Bucket"] in self._names
            return _answered({}) if made else _refused(404, "404", "Not Found")
        if name == "ListObjectsV2":
            return _answered({"Contents": [{"Key": asked["Prefix"]}]})
        if name == "HeadObject":
            return _answered({})
        raise self._ended()

    def _changed(
        self, service: str, region: str, model: "OperationModel", asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._take(DryRequest(service=service, operation=model.name, parameters=dict(asked)))
        answer = _empty(model)
        shape = model.output_shape
        for member in shape.members if shape else ():
            if member.endswith("Arn"):
                kind = _kebab(member.removesuffix("Arn"))
                name = next((v for k, v in asked.items() if k.endswith("Name")), kind)
                answer[member] = (
                    f"arn:{_PARTITION}:{service}:{region}:{self.account}:{kind}/{name}".lower()
                )
        named = ("Bucket", "Name")
        names = (v for k, v in asked.items() if k.endswith(named) and isinstance(v, str))
        self._names |= {*names, *_texts(answer)}
        return answer

    def _upload_file(self, filename: str, bucket: str, key: str, **_: Any) -> None:
        self._transfer("PutObject", bucket, key, Body=f"the file {filename}")

    def _upload_stream(self, _: IO[bytes], bucket: str, key: str, **__: Any) -> None:
        self._transfer("PutObject", bucket, key, Body=f"a {Path(key).name} made of the files here")

    def _download_file(self, bucket: str, key: str, filename: str, **_: Any) -> None:
        """Write an empty archive: what a model's archive is repacked from is not fetched."""
        if not key.endswith(".tar.gz"):
            raise self._ended()
        self._transfer("GetObject", bucket, key)
        tarfile.open(filename, "w:gz").close()

    def _copy(self, source: Mapping[str, str], bucket: str, key: str, **_: Any) -> None:
        self._transfer("CopyObject", bucket, key, CopySource=f"{source['Bucket']}/{source['Key']}")

    def _transfer(self, operation: str, bucket: str, key: str, **more: str) -> None:
        if self._over:
            raise self._ended()
        parameters = {"Bucket": bucket, "Key": key, **more}
        self._take(DryRequest(service="s3", operation=operation, parameters=parameters))

    def _take(self, request: DryRequest) -> None:
        with self._lock:
            self._made.append(request)
            if self.show:
                self.show(request.text())

    def _ended(self) -> DryRunOver:
        self._over = True
        return DryRunOver(self)


def _key(request: DryRequest) -> tuple[str, str]:
    return request.parameters["Bucket"], request.parameters["Key"]


def _answered(parsed: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return _response(200), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200}}


def _refused(status: int, code: str, message: str) -> tuple[Any, dict[str, Any]]:
    metadata = {"HTTPStatusCode": status}
    return _response(status), {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": metadata,
    }


def _response(status: int) -> Any:
    from botocore.awsrequest import AWSResponse

    return AWSResponse("", status, {}, None)


def _empty(model: "OperationModel") -> dict[str, Any]:
    """Return an answer in which every list is empty."""
    shape = model.output_shape
    members = shape.members if shape else {}
    return {name: [] for name, member in members.items() if member.type_name == "list"}


def _texts(value: Any) -> list[str]:
    """Return every text in a request or an answer."""
    match value:
        case str():
            return [value]
        case Mapping():
            return [text for each in value.values() for text in _texts(each)]
        case list() | tuple():
            return [text for each in value for text in _texts(each)]
    return []


def _kebab(name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).lstrip("-")
