"""What tests of deploying share: sessions of a local SageMaker whose containers are functions."""

from pathlib import Path
from typing import Any

from sagedock import Model, Session
from tests.conftest import IMAGE, ROLE, Local


class Deployer:
    """Makes models on one session; ``lines`` are what they showed."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.lines: list[str] = []
        self.session = Session(
            target="local", environ=local.server.environment(), show=self.lines.append
        )

    @property
    def own(self) -> dict[str, Any]:
        """What every object of the client is given here."""
        return {"session": self.session, "show": self.lines.append}

    def model(self, **changes: Any) -> Model:
        """Return a model; ``changes`` are laid over its parameters."""
        return Model(**{"image_uri": IMAGE, "role": ROLE, **self.own, **changes})

    def model_of(self, path: Path, **changes: Any) -> Model:
        """Return a model whose program is ``path``."""
        return self.model(entry_point=path.name, source_dir=str(path.parent), **changes)

    def there(self, kind: str) -> list[str]:
        """Return the names of the models, endpoints or endpoint_configs that there are."""
        answer = getattr(self.session.client("sagemaker"), f"list_{kind}")()
        word = {"models": "Model", "endpoints": "Endpoint", "endpoint_configs": "EndpointConfig"}
        (found,) = (value for value in answer.values() if isinstance(value, list))
        return [each[f"{word[kind]}Name"] for each in found]

    def archives(self) -> dict[str, bytes]:
        """Return every model.tar.gz of the default bucket."""
        s3, bucket = self.session.client("s3"), self.session.default_bucket()
        found = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {
            each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            for each in found
        }
