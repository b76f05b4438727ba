"""Train a script with the SDK v3: ModelTrainer with source code, its log shown live.

    python source_code.py IMAGE ROLE

ROLE is a name or an ARN. Prints what came of it as one line of JSON, last.
"""

import json
import logging
import sys
from pathlib import Path

import boto3
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    Compute,
    InputData,
    MetricDefinition,
    OutputDataConfig,
    SourceCode,
)

SOURCE = Path(__file__).parents[1] / "hello_script"


def main(image: str, role: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    data = Path("data")
    data.mkdir()
    (data / "numbers.csv").write_text("1,2,3\n")
    boto3.client("s3").create_bucket(
        Bucket="models-of-ours",
        CreateBucketConfiguration={"LocationConstraint": boto3.Session().region_name},
    )

    trainer = ModelTrainer(
        training_image=image,
        role=role,
        source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"scale": 2, "label": "a [v3] job"},
        output_data_config=OutputDataConfig(s3_output_path="s3://models-of-ours/out"),
    ).with_metric_definitions([MetricDefinition(name="total", regex="total=([0-9.]+)")])
    trainer.train(
        input_data_config=[InputData(channel_name="train", data_source=str(data))],
        wait=True,
        logs=True,
    )

    job = trainer._latest_training_job
    facts = {
        "status": job.training_job_status,
        "role": job.role_arn,
        "channels": [channel.channel_name for channel in job.input_data_config],
        "metrics": {one.metric_name: one.value for one in job.final_metric_data_list},
        "model_uri": job.model_artifacts.s3_model_artifacts,
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
