"""Inference components with the SDK v2: two models that share an endpoint.

    python components.py SERVING_IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.compute_resource_requirements.resource_requirements import ResourceRequirements
from sagemaker.deserializers import JSONDeserializer
from sagemaker.enums import EndpointType
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer

PROGRAM = Path(__file__).parents[1] / "totals_script" / "inference.py"
ENDPOINT = "shared"
NEEDS = ResourceRequirements(
    requests={"num_cpus": 0.5, "memory": 512, "copies": 1}, limits={"memory": 1024}
)


def packed(folder: str, total: int) -> str:
    """Write a model whose answers are ``total`` larger; return its archive."""
    Path(folder, "model.json").write_text(json.dumps({"total": total}))
    archive = Path(folder, f"adds-{total}.tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(Path(folder, "model.json"), "model.json")
        file.add(PROGRAM, "code/inference.py")
    return str(archive)


def deployed(image: str, role: str, session: sagemaker.Session, total: int) -> Predictor:
    """Deploy a model on the endpoint that all share, made by the first of them."""
    with tempfile.TemporaryDirectory() as folder:
        uri = session.upload_data(packed(folder, total), key_prefix="components")
    model = Model(
        name=f"adds-{total}",
        image_uri=image,
        model_data=uri,
        role=role,
        predictor_cls=Predictor,
        sagemaker_session=session,
    )
    return model.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
        endpoint_type=EndpointType.INFERENCE_COMPONENT_BASED,
        endpoint_name=ENDPOINT,
        inference_component_name=f"component-{total}",
        managed_instance_scaling={"MinInstanceCount": 1, "MaxInstanceCount": 2},
        resources=NEEDS,
    )


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    client = session.sagemaker_client
    first, second = (deployed(image, role, session, total) for total in (10, 20))
    answers = [each.predict([1, 2]) for each in (first, second)]
    listed = session.list_and_paginate_inference_component_names_associated_with_endpoint(ENDPOINT)
    client.update_inference_component_runtime_config(
        InferenceComponentName="component-10", DesiredRuntimeConfig={"CopyCount": 2}
    )
    session.wait_for_inference_component("component-10", poll=1)
    copies = session.describe_inference_component("component-10")["RuntimeConfig"]
    first.delete_predictor(wait=True)
    second.delete_predictor(wait=True)
    session.delete_endpoint(ENDPOINT)
    print()
    print(json.dumps({"answers": answers, "listed": sorted(listed), "copies": copies}))


if __name__ == "__main__":
    main(*sys.argv[1:])
