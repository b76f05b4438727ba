"""Tune with the SageMaker SDK v2 as its documentation shows it.

    python tune.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

import sagemaker
from s3_files import uploaded
from sagemaker.estimator import Estimator
from sagemaker.parameter import CategoricalParameter, IntegerParameter
from sagemaker.tuner import HyperparameterTuner

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
        sagemaker_session=session,
    )
    tuner = HyperparameterTuner(
        estimator,
        objective_metric_name="total",
        hyperparameter_ranges={
            "scale": IntegerParameter(1, 4),
            "label": CategoricalParameter(["a", "b"]),
        },
        metric_definitions=[{"Name": "total", "Regex": "total=([0-9.]+)"}],
        max_jobs=3,
        max_parallel_jobs=2,
    )
    tuner.fit({"train": uri}, wait=True)
    tuner.wait()

    table = tuner.analytics().dataframe()
    best = tuner.best_estimator()
    attached = HyperparameterTuner.attach(tuner.latest_tuning_job.name, sagemaker_session=session)
    facts = {
        "job": tuner.latest_tuning_job.name,
        "status": tuner.describe()["HyperParameterTuningJobStatus"],
        "best": tuner.best_training_job(),
        "attached_best": attached.best_training_job(),
        "values": sorted(table["FinalObjectiveValue"].tolist()),
        "scales": sorted(table["scale"].tolist()),
        "best_scale": best.hyperparameters()["scale"],
        "model_uri": best.model_data,
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
