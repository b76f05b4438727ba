"""Tune the digits: learning rate, hidden units and batch size, here or on AWS.

python scripts/tune.py
python scripts/tune.py --jobs 20 --parallel 4 --early-stopping --picture tuning.svg
python scripts/tune.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
from pathlib import Path

from prepare_data import channels
from program import draws, parser_of, report, run, session_of
from train import METRICS, SOURCE

from sagedock import (
    CategoricalParameter,
    ContinuousParameter,
    Estimator,
    HyperparameterTuner,
    IntegerParameter,
    InvalidRequest,
)
from sagedock.client.pictures import problem_with_picture


def main() -> int:
    options = parse_options()
    if options.picture and (problem := problem_with_picture(Path(options.picture))):
        raise InvalidRequest([f"--picture: {problem}"])
    session = session_of(options)
    estimator = Estimator(
        image_uri=options.image,
        role=options.role,
        instance_type=options.instance_type,
        entry_point="train.py",
        source_dir=str(SOURCE),
        hyperparameters={"epochs": options.epochs},
        base_job_name="digits",
        session=session,
        show=session.show,
    )
    tuner = HyperparameterTuner(
        estimator=estimator,
        objective_metric_name="test:accuracy",
        metric_definitions=METRICS,
        hyperparameter_ranges={
            "lr": ContinuousParameter(1e-4, 1e-1, scaling_type="Logarithmic"),
            "hidden": IntegerParameter(16, 256, scaling_type="Logarithmic"),
            "batch-size": CategoricalParameter([16, 64, 256]),
        },
        strategy=options.strategy,
        max_jobs=options.jobs,
        max_parallel_jobs=options.parallel,
        early_stopping_type="Auto" if options.early_stopping else "Off",
    )
    tuner.fit(channels(session))
    found = tuner.analytics()
    if options.picture:
        found.save(options.picture)
        session.show(f"picture: {options.picture}")
    if not draws(session):  # there it is on the terminal already
        session.show(found.text())
    best = tuner.best_estimator()
    facts = {"job": tuner.best_training_job(), "model": best.model_data}
    accuracy = found.best.objective if found.best else None
    report({**facts, "test:accuracy": accuracy, **tuned(best)}, as_json=options.json)
    return 0


def tuned(best: Estimator) -> dict[str, object]:
    """Return what was tuned, as the best training job had it."""
    return {name: best.hyperparameters[name] for name in ("lr", "hidden", "batch-size")}


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__ or "", "sagedock-training")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--strategy", choices=["Bayesian", "Random"], default="Bayesian")
    parser.add_argument("--early-stopping", action="store_true")
    parser.add_argument("--picture", metavar="FILE", help="a .png or .svg (needs matplotlib)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
