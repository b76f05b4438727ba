"""Train on the handwritten digits: here, in a container of the local SageMaker, or on AWS.

python scripts/train.py
python scripts/train.py --stream    # the same data through a pipe, epoch by epoch
python scripts/train.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Literal

from prepare_data import channels
from program import parser_of, report, run, session_of

from sagedock import Channel, Estimator

SOURCE = Path(__file__).resolve().parent.parent / "examples" / "digits"
METRICS = [
    {"Name": "train:loss", "Regex": r"train_loss=([0-9.]+)"},
    {"Name": "test:accuracy", "Regex": r"test_accuracy=([0-9.]+)"},
]


def main() -> int:
    options = parse_options()
    session = session_of(options)
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
        show=session.show,
    )
    data = channels(session)
    mode: Literal["Pipe", "File"] = "Pipe" if options.stream else "File"
    train = Channel(s3_data=data["train"], input_mode=mode)
    result = estimator.fit({"train": train, "test": data["test"]})
    if options.curves and estimator.latest_training_job:
        estimator.latest_training_job.save_curves(options.curves)
        session.show(f"curves: {options.curves}")
    model = session.file_of(result.model_data or "")
    if options.json:
        report(dataclasses.asdict(result) | {"model_file": model and str(model)}, as_json=True)
    else:
        report({**result.metrics, "model": model or result.model_data}, as_json=False)
    return 0


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__ or "", "sagedock-training")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--stream", action="store_true", help="read the data in Pipe mode")
    parser.add_argument(
        "--curves",
        metavar="FILE",
        help="draw the metrics into this .png or .svg (needs matplotlib)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
