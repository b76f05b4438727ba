"""The model that train.py has trained, ready to be served: for deploy.py and transform.py."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from program import parser_of

from sagedock import InvalidRequest, Model, Session
from sagedock.jobs import unique_name

SOURCE = Path(__file__).resolve().parent.parent / "examples" / "digits"
JOB_PREFIX = "digits-"


def serving_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of the options that serving programs have in common."""
    parser = parser_of(description, "sagedock-serving")
    parser.add_argument("--instances", type=int, default=1)
    parser.add_argument(
        "--model-data",
        metavar="URI|FILE",
        help="a model.tar.gz (default: that of the newest completed job of train.py)",
    )
    return parser


def trained_model(session: Session, options: argparse.Namespace) -> Model:
    """Return the model, with examples/digits/inference.py to serve it."""
    return Model(
        image_uri=options.image,
        role=options.role,
        name=unique_name("digits", datetime.now(UTC)),
        model_data=options.model_data or _newest(session),
        entry_point="inference.py",
        source_dir=str(SOURCE),
        session=session,
        show=session.show,
    )


def _newest(session: Session) -> str:
    sagemaker = session.client("sagemaker")
    found = sagemaker.list_training_jobs(
        NameContains=JOB_PREFIX, StatusEquals="Completed", SortBy="CreationTime", MaxResults=100
    )["TrainingJobSummaries"]
    names = [each["TrainingJobName"] for each in found]
    for name in (each for each in names if each.startswith(JOB_PREFIX)):
        job = sagemaker.describe_training_job(TrainingJobName=name)
        artifacts: str = job["ModelArtifacts"]["S3ModelArtifacts"]
        return artifacts
    raise InvalidRequest(
        [
            "model_data: no training job of the digits has completed: run scripts/train.py first, "
            "or name a model with --model-data"
        ]
    )
