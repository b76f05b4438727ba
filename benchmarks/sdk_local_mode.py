"""Run by benchmarks/local_mode.py in the other clients' environment: SDK v2's own local mode."""

import sys
import time
from pathlib import Path

from sagemaker.estimator import Estimator
from sagemaker.local import LocalSession


def main(image: str, code: str, rounds: int) -> None:
    """Fit ``rounds`` times; print when each was asked for."""
    session = LocalSession()
    session.config = {"local": {"local_code": True}}
    for _ in range(rounds):
        estimator = Estimator(
            image_uri=image,
            role="arn:aws:iam::123456789012:role/bench",
            instance_count=1,
            instance_type="local",
            sagemaker_session=session,
            output_path=f"file://{Path(code).parent / 'output'}",
            entry_point="train.py",
            source_dir=code,
        )
        print("asked", time.time(), flush=True)
        estimator.fit()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
