"""Train with the SageMaker SDK v2 as its documentation shows it.

    python estimator.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

import sagemaker
from s3_files import model_of, uploaded
from sagemaker.estimator import Estimator

SOURCE = Path(__file__).parents[1] / "hello_script"


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    uri = uploaded(session, "sdk-v2/data")

    estimator = Estimator(
        image_uri=image,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        entry_point="train.py",
        source_dir=str(SOURCE),
        hyperparameters={"scale": 2, "label": "sdk-v2"},
        metric_definitions=[{"Name": "total", "Regex": "total=([0-9.]+)"}],
        sagemaker_session=session,
    )
    estimator.fit({"train": uri}, wait=True, logs="All")

    described = estimator.latest_training_job.describe()
    facts = {
        "job": estimator.latest_training_job.name,
        "status": described["TrainingJobStatus"],
        "metrics": {one["MetricName"]: one["Value"] for one in described["FinalMetricDataList"]},
        "model_uri": estimator.model_data,
        "model": model_of(estimator.model_data, session),
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
