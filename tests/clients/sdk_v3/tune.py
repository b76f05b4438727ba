"""Tune with the SDK v3: a tuner over a ModelTrainer with source code.

    python tune.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import logging
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import IntegerParameter
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

SOURCE = Path(__file__).parents[1] / "hello_script"


def main(image: str, role: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    data = Path("data")
    data.mkdir()
    (data / "numbers.csv").write_text("1,2,3\n")
    session = Session()
    uri = session.upload_data(str(data), key_prefix="tune/data")

    trainer = ModelTrainer(
        training_image=image,
        role=role,
        sagemaker_session=session,
        source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"label": "v3"},
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="total",
        hyperparameter_ranges={"scale": IntegerParameter(1, 4)},
        metric_definitions=[{"Name": "total", "Regex": "total=([0-9.]+)"}],
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tuner.tune(inputs=[InputData(channel_name="train", data_source=uri)], wait=True)

    facts = {
        "status": tuner.describe().hyper_parameter_tuning_job_status,
        "best": tuner.best_training_job(),
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
