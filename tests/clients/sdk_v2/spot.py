"""Train with the SDK v2 on spot instances, from the checkpoint of an earlier job.

    python spot.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

import sagemaker
from sagemaker.pytorch import PyTorch
from sagemaker.s3 import S3Downloader, S3Uploader

SOURCE = Path(__file__).parents[1] / "steps_script"


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    checkpoints = f"s3://{session.default_bucket()}/spot/checkpoints"
    S3Uploader.upload_string_as_file_body(
        json.dumps({"step": 2}), f"{checkpoints}/state.json", sagemaker_session=session
    )
    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(SOURCE),
        image_uri=image,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"steps": 5, "checkpoints": "/opt/ml/my-checkpoints"},
        checkpoint_s3_uri=checkpoints,
        checkpoint_local_path="/opt/ml/my-checkpoints",
        use_spot_instances=True,
        max_run=600,
        max_wait=1200,
        sagemaker_session=session,
    )
    estimator.fit(wait=False)
    estimator.latest_training_job.wait(logs="None")
    estimator.logs()

    described = estimator.latest_training_job.describe()
    facts = {
        "status": described["TrainingJobStatus"],
        "spot": described["EnableManagedSpotTraining"],
        "checkpoint_config": described["CheckpointConfig"],
        "training_s": described["TrainingTimeInSeconds"],
        "billable_s": described["BillableTimeInSeconds"],
        "checkpoint": json.loads(
            S3Downloader.read_file(f"{checkpoints}/state.json", sagemaker_session=session)
        ),
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
