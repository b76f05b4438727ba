"""Deploy a model with the SageMaker SDK v2 as its documentation shows it.

    python deploy.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(__file__, "code/inference.py")
        uri = session.upload_data(str(archive), key_prefix="sdk-v2/model")

    model = Model(
        image_uri=image,
        model_data=uri,
        role=role,
        predictor_cls=Predictor,
        env={"WHICH": "v2"},
        sagemaker_session=session,
    )
    predictor = model.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name="sdk-v2",
        tags=[{"Key": "team", "Value": "a"}],
        serializer=CSVSerializer(),
    )
    echoed = predictor.predict([1, 2, 3]).decode()
    which = predictor.predict("which").decode()
    stream = predictor.predict_stream(data="stream 3")
    parts = b"".join(stream).decode()
    files = Predictor("sdk-v2", session, CSVSerializer(), JSONDeserializer()).predict("model")
    facts = {
        "status": session.describe_endpoint("sdk-v2")["EndpointStatus"],
        "echoed": echoed,
        "which": which,
        "parts": parts,
        "files": sorted(files),
    }
    predictor.delete_model()
    predictor.delete_endpoint()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
