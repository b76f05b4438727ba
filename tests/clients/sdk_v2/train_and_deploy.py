"""Train with the SDK v2's PyTorch estimator, and deploy what it trained: arrays in, arrays out.

    python train_and_deploy.py TRAINING_IMAGE SERVING_IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

import numpy as np
import sagemaker
from s3_files import uploaded
from sagemaker.deserializers import JSONDeserializer
from sagemaker.pytorch import PyTorch, PyTorchModel
from sagemaker.serializers import JSONSerializer

SCRIPTS = Path(__file__).parents[1]
#: The SDK wants to know it even where an image is named: how code is packed hangs on it.
VERSION = {"framework_version": "2.3.0", "py_version": "py311"}
#: The SDK's own wait looks every 30 seconds.
INSTANCE = {"initial_instance_count": 1, "instance_type": "ml.m5.large", "wait": False}


def main(training_image: str, serving_image: str, role: str) -> None:
    session = sagemaker.Session()
    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(SCRIPTS / "ranks_script"),
        image_uri=training_image,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        **VERSION,
        distribution={"torch_distributed": {"enabled": True}},
        sagemaker_session=session,
    )
    estimator.fit({"train": uploaded(session, "deploy/data")}, wait=False)
    estimator.latest_training_job.wait(logs="None")

    predictor = estimator.deploy(
        **INSTANCE,
        image_uri=serving_image,
        entry_point="inference.py",
        source_dir=str(SCRIPTS / "totals_script"),
    )
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    arrays = predictor.predict(np.array([1.0, 2.0]))
    predictor.delete_model()
    predictor.delete_endpoint()

    model = PyTorchModel(
        model_data=estimator.model_data,
        image_uri=serving_image,
        role=role,
        **VERSION,
        entry_point="inference.py",
        source_dir=str(SCRIPTS / "totals_script"),
        sagemaker_session=session,
    )
    predictor = model.deploy(
        **INSTANCE, serializer=JSONSerializer(), deserializer=JSONDeserializer()
    )
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    facts = {"arrays": arrays.tolist(), "json": predictor.predict([3, 4])}
    predictor.delete_model()
    predictor.delete_endpoint()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
