"""Train an image of one's own with the SDK v3: ModelTrainer without any source code.

    python own_image.py IMAGE

Names no role: the SDK's configuration does. Prints what came of it as one line of JSON, last.
"""

import json
import logging
import sys
import tarfile
import tempfile
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.s3 import S3Downloader
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, StoppingCondition


def main(image: str) -> None:
    # The SDK v3 shows a job's log as messages of Python's logging.
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    session = Session()
    data = Path("data")
    data.mkdir()
    (data / "a.csv").write_text("1,2\n")
    (data / "b.csv").write_text("3\n")
    uri = session.upload_data(str(data), key_prefix="own-image/data")

    trainer = ModelTrainer(
        training_image=image,
        base_job_name="own-image",
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        hyperparameters={"rate": 0.5, "layers": [1, 2], "label": "own", "deep": True},
        environment={"COLOUR": "blue"},
        tags=[{"key": "team", "value": "a"}],
    )
    trainer.train(
        input_data_config=[
            InputData(channel_name="remote", data_source=uri),
            InputData(channel_name="local", data_source=str(data / "b.csv")),
        ],
        wait=True,
        logs=True,
    )

    job = trainer._latest_training_job
    facts = {
        "status": job.training_job_status,
        "role": job.role_arn,
        "model": json.loads(file_of(job.model_artifacts.s3_model_artifacts, "model.json")),
    }
    print()
    print(json.dumps(facts))


def file_of(uri: str, name: str) -> str:
    """Return a file of the archive ``uri``."""
    with tempfile.TemporaryDirectory() as folder:
        S3Downloader.download(uri, folder)
        with tarfile.open(Path(folder) / Path(uri).name) as archive:
            member = archive.extractfile(name)
            assert member is not None
            return member.read().decode()


if __name__ == "__main__":
    main(*sys.argv[1:])
