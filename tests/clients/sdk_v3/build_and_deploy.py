"""Deploy a model.tar.gz of S3 with the SDK v3's ModelBuilder.

    python build_and_deploy.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import EndpointConfig
from sagemaker.serve import ModelBuilder

PROGRAM = Path(__file__).parents[1] / "totals_script" / "inference.py"


def main(image: str, role: str) -> None:
    session = Session()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "model.tar.gz")
        Path(folder, "model.json").write_text('{"total": 100}')
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(Path(folder, "model.json"), "model.json")
            packed.add(PROGRAM, "code/inference.py")
        uri = session.upload_data(str(archive), key_prefix="sdk-v3/model")

    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=uri,
        role_arn=role,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    model = builder.build(model_name="built-v3")
    endpoint = builder.deploy(endpoint_name="built-v3", initial_instance_count=1)
    answer = endpoint.invoke(
        body=b"[1, 2]", content_type="application/json", accept="application/json"
    )
    facts = {"json": json.loads(answer.body.read()), "model": model.model_name}
    config = endpoint.endpoint_config_name
    endpoint.delete()
    EndpointConfig.get(config).delete()
    model.delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
