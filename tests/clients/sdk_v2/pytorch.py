"""Train with the SDK v2's PyTorch estimator: two hosts, torchrun, an image of one's own.

    python pytorch.py IMAGE ROLE MODE

MODE is how the data comes: File, FastFile or Pipe. Prints what came of it as one line of JSON,
last.
"""

import json
import sys
from pathlib import Path

import sagemaker
from s3_files import model_of, uploaded
from sagemaker.inputs import TrainingInput
from sagemaker.pytorch import PyTorch

SOURCE = Path(__file__).parents[1] / "ranks_script"


def main(image: str, role: str, mode: str) -> None:
    session = sagemaker.Session()
    uri = uploaded(session, "pytorch/data")

    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(SOURCE),
        image_uri=image,
        role=role,
        instance_count=2,
        instance_type="ml.m5.large",
        distribution={"torch_distributed": {"enabled": True}},
        hyperparameters={"scale": 0.5},
        metric_definitions=[{"Name": "total", "Regex": "rank 0 of 2 on algo-1: ([0-9.]+)"}],
        environment={"OMP_NUM_THREADS": "1"},
        tags=[{"Key": "team", "Value": "a"}],
        max_run=600,
        base_job_name="ranks",
        sagemaker_session=session,
    )
    estimator.fit({"train": TrainingInput(uri, input_mode=mode)}, wait=False)
    estimator.latest_training_job.wait(logs="None")
    estimator.logs()

    described = estimator.latest_training_job.describe()
    facts = {
        "status": described["TrainingJobStatus"],
        "mode": described["InputDataConfig"][0]["InputMode"],
        "metrics": {one["MetricName"]: one["Value"] for one in described["FinalMetricDataList"]},
        "tags": session.list_tags(described["TrainingJobArn"]),
        "model": model_of(estimator.model_data, session),
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
