"""Train on the handwritten digits: here, in a container of the local SageMaker, or on AWS.

python scripts/train.py
python scripts/train.py --stream    # the same data through a pipe, epoch by epoch
python scripts/train.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Literal

from prepare_data import channels

from sagedock import Channel, Estimator, SagedockError, Session

SOURCE = Path(__file__).resolve().parent.parent / "examples" / "digits"
METRICS = [
    {"Name": "train:loss", "Regex": r"train_loss=([0-9.]+)"},
    {"Name": "test:accuracy", "Regex": r"test_accuracy=([0-9.]+)"},
]


def main() -> int:
    options = parse_options()

    def show(line: str) -> None:
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)

    session = Session(target=options.target, region=options.region, show=show)
    estimator = Estimator(
        image_uri=options.image,
        role=options.role,
        instance_type=options.instance_type,
        entry_point="train_pipe.py" if options.stream else "train.py",
        source_dir=str(SOURCE),
        hyperparameters={"epochs": options.epochs, "lr": options.lr},
        metric_definitions=METRICS,
        base_job_name="digits",
        session=session,
        show=show,
    )
    data = channels(session)
    mode: Literal["Pipe", "File"] = "Pipe" if options.stream else "File"
    train = Channel(s3_data=data["train"], input_mode=mode)
    result = estimator.fit({"train": train, "test": data["test"]})
    if options.curves and estimator.latest_training_job:
        estimator.latest_training_job.save_curves(options.curves)
        show(f"curves: {options.curves}")
    model = session.file_of(result.model_data or "")
    if options.json:
        facts = dataclasses.asdict(result) | {"model_file": str(model) if model else None}
        print(json.dumps(facts, indent=2))
        return 0
    for name, value in result.metrics.items():
        print(f"{name:<14} {value:.4f}")
    print(f"{'model':<14} {model or result.model_data}")
    return 0


def parse_options() -> argparse.Namespace:
    account, region = "123456789012", "us-west-2"
    image = f"{account}.dkr.ecr.{region}.amazonaws.com/sagedock-training:cpu"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--target", choices=["local", "aws"], default="local")
    parser.add_argument("--role", default=f"arn:aws:iam::{account}:role/sagedock")
    parser.add_argument("--image", default=image)
    parser.add_argument("--region", help="default: the environment's, else us-west-2 locally")
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--stream", action="store_true", help="read the data in Pipe mode")
    parser.add_argument(
        "--curves",
        metavar="FILE",
        help="draw the metrics into this .png or .svg (needs matplotlib)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SagedockError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
