"""Train with torchrun with the SDK v3: on one host with two processes, and on two hosts, at once.

    python torchrun.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import logging
import sys
from pathlib import Path

from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.distributed import Torchrun

SOURCE = Path(__file__).parents[1] / "ranks_script"


def main(image: str, role: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    data = Path("data")
    data.mkdir()
    (data / "numbers.csv").write_text("1,2,3\n")

    def started(name: str, hosts: int, distributed: Torchrun) -> ModelTrainer:
        trainer = ModelTrainer(
            training_image=image,
            role=role,
            base_job_name=name,
            source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
            distributed=distributed,
            compute=Compute(instance_type="ml.m5.large", instance_count=hosts),
            hyperparameters={"scale": 0.5},
            environment={"OMP_NUM_THREADS": "1"},
        )
        trainer.train(
            input_data_config=[InputData(channel_name="train", data_source=str(data))],
            wait=False,
            logs=False,
        )
        return trainer

    trainers = {
        "one-host": started("one-host", 1, Torchrun(process_count_per_node=2)),
        "two-hosts": started("two-hosts", 2, Torchrun()),
    }
    facts = {}
    for name, trainer in trainers.items():
        trainer._latest_training_job.wait(logs=True)
        facts[name] = trainer._latest_training_job.training_job_status
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
