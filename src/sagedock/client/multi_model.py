"""MultiModel: many models behind one endpoint, each loaded when it is first asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagedock.client.model import Model
from sagedock.client.predictor import Predictor
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.client.storage import found, require_object, split_uri
from sagedock.errors import InvalidRequest

__all__ = ["MultiModel"]

_PREFIX = re.compile("s3://[^/]")


@dataclass(kw_only=True)
class MultiModel:
    """Every ``.tar.gz`` below ``model_data_prefix`` is a model of the endpoint; a call names its
    own: ``predict(data, target_model="a.tar.gz")``. SageMaker SDK v2 calls this
    ``MultiDataModel``.

    ``options`` are further parameters of Model, such as ``environment``. Raises InvalidRequest for
    a prefix that is not in S3.
    """

    image_uri: str
    role: str
    model_data_prefix: str
    name: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout
    _model: Model | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        where = self.model_data_prefix
        if not isinstance(where, str) or not _PREFIX.match(where):
            raise InvalidRequest(
                [f"model_data_prefix: {where!r} is no folder of S3: give s3://bucket/folder/"]
            )

    def deploy(
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        **options: Any,
    ) -> Predictor:
        """Serve the models; see ``Model.deploy``, which has the options."""
        if self._model is None:
            self._model = Model(
                image_uri=self.image_uri,
                role=self.role,
                model_data=self._prefix,
                name=self.name,
                mode="MultiModel",
                **{"session": self.session, "show": self.show, **self.options},
            )
        return self._model.deploy(initial_instance_count, instance_type, **options)

    def delete(self) -> None:
        """Delete the model that ``deploy`` created here; the archives in S3 stay."""
        if self._model is not None:
            self._model.delete()
            self._model = None

    def add_model(self, model_data: str | Path, name: str | None = None) -> str:
        """Copy a model.tar.gz, of S3 or this machine, below the prefix; return its target name.

        The endpoint need not be told: it finds the model when it is first asked for.
        """
        source = str(model_data)
        target = name or source.rsplit("/", 1)[-1]
        if not target.endswith(".tar.gz"):
            raise InvalidRequest([f"model_data: {target}: a model is a file .tar.gz: pack it"])
        is_local = not source.startswith("s3://")
        if is_local and not Path(source).is_file():
            raise InvalidRequest(
                [f"model_data: {source}: no such file: give a model.tar.gz or an S3 URI"]
            )
        bucket, prefix = split_uri(self._prefix)
        s3 = self.session.client("s3")
        with explained(self.session.target), found(self._prefix, word="model_data_prefix"):
            if is_local:
                s3.upload_file(source, bucket, prefix + target)
            else:
                require_object(s3, source, word="model_data")
                from_bucket, key = split_uri(source)
                s3.copy({"Bucket": from_bucket, "Key": key}, bucket, prefix + target)
        return target

    def list_models(self) -> Iterator[str]:
        """Yield the models' names, relative to the prefix."""
        bucket, prefix = split_uri(self._prefix)
        with explained(self.session.target), found(self._prefix, word="model_data_prefix"):
            pages = self.session.client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    if each["Key"].endswith(".tar.gz"):
                        yield each["Key"].removeprefix(prefix)

    @property
    def _prefix(self) -> str:
        return f"{self.model_data_prefix.rstrip('/')}/"
