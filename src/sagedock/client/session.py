"""One AWS, real or local: its clients, its bucket, and files to and from it."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagedock.api.regions import refuse_region, unknown_region
from sagedock.client import pace, storage
from sagedock.client.dry_run import DryRun
from sagedock.client.place import Place, Target, chosen_target, place_of
from sagedock.client.refusals import explained
from sagedock.client.show import Show, to_stdout
from sagedock.errors import InvalidRequest

if TYPE_CHECKING:
    import boto3

__all__ = ["Session"]

_LOCAL_REGION = "us-west-2"


class Session:
    """Where jobs run: ``target`` "local" (the default, or $SAGEDOCK_TARGET) or "aws".

    Nothing is asked or started before it is needed: a local session uses the local SageMaker that
    runs, or starts one that ends with the program. ``region`` and credentials come from
    ``boto_session`` or the environment, as boto3 finds them; a local session needs neither.
    With ``dry_run`` nothing is sent or started, no credentials are needed: see DryRun.
    """

    def __init__(
        self,
        *,
        target: Target | None = None,
        region: str | None = None,
        boto_session: "boto3.Session | None" = None,
        show: Show = to_stdout,
        environ: Mapping[str, str] = os.environ,
        dry_run: DryRun | None = None,
    ) -> None:
        refuse_region(region, "region")
        self.target = chosen_target(target, environ)
        self.show = show
        self._given_region = region
        self._given_boto_session = boto_session
        self.dry_run = dry_run
        self._environ = environ
        self._clients: dict[str, Any] = {}

    @cached_property
    def place(self) -> Place:
        """Where requests go. A local SageMaker is started here if none runs."""
        if self.dry_run:
            return Place(pace=pace.AWS if self.target == "aws" else pace.LOCAL)
        return place_of(self.target, self.show, self._environ)

    @property
    def lasts(self) -> str:
        """How long what runs here goes on, for who leaves it: in words."""
        if self.place.ends_with_program:
            return "until this program ends, which started the local SageMaker"
        if self.target == "local":
            return "as long as its local SageMaker runs"  # `sagedock local run` ends its own
        return "without this program"

    @cached_property
    def region(self) -> str:
        """The region; us-west-2 for a local session without one.

        Raises InvalidRequest if AWS is the target and no region is set, or it has not the form of
        one; a region that the installed botocore does not know is only told to ``show``.
        """
        for named, region in self._regions():
            if region:
                refuse_region(region, named)
                if warning := unknown_region(region):
                    self.show(warning)
                return region
        raise InvalidRequest(["region: none is set: give Session(region=...), or set AWS_REGION"])

    def _regions(self) -> Iterator[tuple[str, str | None]]:
        """Yield what may say the region, the first first, and what each says."""
        yield "region", self._given_region
        yield "boto_session", self._given_boto_session and self._given_boto_session.region_name
        for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            yield variable, self._environ.get(variable)
        if self.target == "local":
            yield "region", _LOCAL_REGION
        else:
            yield "the region of the profile", self._boto_session.region_name

    @cached_property
    def allowed_instance_types(self) -> frozenset[str]:
        """Types that the local SageMaker takes though the installed botocore knows none such."""
        named = self._environ.get("SAGEDOCK_ALLOW_INSTANCE_TYPES", "")
        return frozenset(named.replace(",", " ").split())

    def client(self, service: str) -> Any:
        """Return the boto3 client of ``service``: one per session, safe to use from threads.

        Raises NoCredentials where a profile is named that is not there.
        """
        if service not in self._clients:
            region = self.region  # a wrong one is told before a server is started
            with explained(self.target):
                self._clients[service] = client = self._boto_session.client(
                    service,
                    region_name=region,
                    endpoint_url=self.place.endpoint_url(service),
                    config=self._client_config(),
                )
            if self.dry_run:
                self.dry_run.attach(client)
        return self._clients[service]

    def default_bucket(self) -> str:
        """Return ``sagemaker-<region>-<account>``, which the SageMaker SDKs use too.

        The bucket is made if it is not there.
        """
        with explained(self.target):
            account = self.client("sts").get_caller_identity()["Account"]
            bucket = f"sagemaker-{self.region}-{account}"
            if storage.ensure_bucket(self.client("s3"), bucket, region=self.region, owner=account):
                self.show(f"made the bucket {bucket}")
        return bucket

    def upload(self, path: str | Path, prefix: str, *, bucket: str | None = None) -> str:
        """Copy a file, or all files of a folder, below ``prefix``; return its S3 URI.

        The bucket is the default one unless given. Raises InvalidRequest for an empty folder.
        """
        where = f"s3://{bucket or self.default_bucket()}/{prefix.strip('/')}"
        with explained(self.target):
            storage.upload(self.client("s3"), Path(path), where)
        return where

    def download(self, uri: str, path: str | Path) -> tuple[Path, ...]:
        """Copy the object ``uri``, or all objects below it, into the folder ``path``.

        Returns the files. Raises InvalidRequest where there is nothing.
        """
        with explained(self.target):
            return storage.download(self.client("s3"), uri, Path(path))

    def file_of(self, uri: str) -> Path | None:
        """Return the file that an object of the local S3 is; None for AWS, or where none is."""
        if self.place.home is None:
            return None
        from sagedock.local import object_file

        file = object_file(self.place.home, uri)
        return file if file.is_file() else None

    @cached_property
    def _boto_session(self) -> "boto3.Session":
        if self._given_boto_session is not None:
            return self._given_boto_session
        import boto3

        if self.target == "aws":
            with explained(self.target):  # a profile that is not there
                return boto3.Session(region_name=self._given_region)
        import botocore.session

        # A profile of the user's that is not there must not stop a local run.
        without_profile = botocore.session.Session(session_vars={"profile": (None,) * 4})
        return boto3.Session(
            botocore_session=without_profile,
            aws_access_key_id=self.place.variables.get("AWS_ACCESS_KEY_ID") or "local",
            aws_secret_access_key=self.place.variables.get("AWS_SECRET_ACCESS_KEY") or "local",
        )

    def _client_config(self) -> Any:
        from botocore.config import Config

        if self.place.endpoint_url("sagemaker") is None:
            return Config(retries={"mode": "standard", "max_attempts": 5})
        # Path-style addresses need no DNS, and no proxy knows this machine's 127.0.0.1.
        return Config(
            retries={"mode": "standard", "max_attempts": 2},
            s3={"addressing_style": "path"},
            proxies={},
        )
