"""Endpoints of other kinds with the SDK v2: asynchronous, serverless, many models.

    python kinds.py SERVING_IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.async_inference.waiter_config import WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.exceptions import AsyncInferenceModelError
from sagemaker.model import Model
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer
from sagemaker.serverless import ServerlessInferenceConfig

PROGRAM = Path(__file__).parents[1] / "totals_script" / "inference.py"
INSTANCE = {"initial_instance_count": 1, "instance_type": "ml.m5.large"}
#: The SDK's own wait looks every 30 seconds.
JSON = {"serializer": JSONSerializer(), "deserializer": JSONDeserializer(), "wait": False}
#: The SDK's own waits 60 seconds between its looks.
SOON = WaiterConfig(max_attempts=20, delay=1)


def packed(folder: str, total: int) -> str:
    """Write a model whose answers are ``total`` larger; return its archive."""
    Path(folder, "model.json").write_text(json.dumps({"total": total}))
    archive = Path(folder, f"adds-{total}.tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(Path(folder, "model.json"), "model.json")
        file.add(PROGRAM, "code/inference.py")
    return str(archive)


def asynchronous(model: Model, session: sagemaker.Session) -> dict:
    output = f"s3://{session.default_bucket()}/async"
    predictor = model.deploy(
        **INSTANCE, **JSON, async_inference_config=AsyncInferenceConfig(output_path=output)
    )
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    answer = predictor.predict([1, 2], waiter_config=SOON)
    try:
        predictor.predict({"no": "numbers"}, waiter_config=SOON)
        failure = ""
    except AsyncInferenceModelError as error:
        failure = str(error)
    predictor.delete_endpoint()
    return {"async": answer, "failure": failure}


def serverless(model: Model, session: sagemaker.Session) -> dict:
    config = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=2)
    predictor = model.deploy(**JSON, serverless_inference_config=config)
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    answer = predictor.predict([1, 2])
    predictor.delete_endpoint()
    return {"serverless": answer}


def many(image: str, role: str, session: sagemaker.Session, archives: list[str]) -> dict:
    models = MultiDataModel(
        name="many",
        model_data_prefix=f"s3://{session.default_bucket()}/many/",
        image_uri=image,
        role=role,
        predictor_cls=Predictor,
        sagemaker_session=session,
    )
    predictor = models.deploy(**INSTANCE, **JSON)
    session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    for archive in archives:
        models.add_model(archive)
    names = sorted(models.list_models())
    answers = [predictor.predict([1], target_model=name) for name in names]
    predictor.delete_endpoint()
    return {"names": names, "many": answers}


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    with tempfile.TemporaryDirectory() as folder:
        archives = [packed(folder, total) for total in (10, 20)]
        uri = session.upload_data(archives[0], key_prefix="kinds")
        model = Model(
            image_uri=image,
            model_data=uri,
            role=role,
            predictor_cls=Predictor,
            sagemaker_session=session,
        )
        facts = {
            **asynchronous(model, session),
            **serverless(model, session),
            **many(image, role, session, archives),
        }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
