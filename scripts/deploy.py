"""Serve the digits model at an endpoint, call it, measure it, and delete it.

python scripts/deploy.py
python scripts/deploy.py --keep --autoscale 1 3 600   # 600 invocations per instance and minute
python scripts/deploy.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np
from prepare_data import test_rows
from program import report, run, session_of
from trained import serving_parser, trained_model

from sagedock import DataCapture, Model, Predictor, SagedockError
from sagedock.client.serializers import CSVSerializer, JSONDeserializer

ROWS_PER_CALL = 10


def main() -> int:
    options = parse_options()
    session = session_of(options)
    model = trained_model(session, options)
    capture = DataCapture(options.capture, sampling_percentage=100) if options.capture else None
    predictor, keep = None, False
    try:
        predictor = model.deploy(
            options.instances,
            options.instance_type,
            endpoint_name=options.endpoint_name or model.name,
            serializer=CSVSerializer(),
            deserializer=JSONDeserializer(),
            data_capture=capture,
            wait=False,
        )
        predictor.endpoint.wait()
        facts = {"endpoint": predictor.endpoint_name, **call(predictor)}
        if options.autoscale:
            least, most, target = options.autoscale
            facts["policy"] = predictor.endpoint.autoscale(int(least), int(most), target)
        keep = options.keep  # what does not get here is of no use to anybody
    finally:
        if not keep:
            clean_up(predictor, model)
    report(facts, as_json=options.json)
    return 0


def call(predictor: Predictor) -> dict[str, Any]:
    """Ask for every digit of the test set, some rows at a time."""
    digits, pixels = test_rows()
    answers: list[int] = []
    latencies_ms = []
    for first in range(0, len(digits), ROWS_PER_CALL):
        began = time.perf_counter()
        answers += predictor.predict(pixels[first : first + ROWS_PER_CALL])
        latencies_ms.append((time.perf_counter() - began) * 1000)
    return {
        "test:accuracy": float(np.mean(np.asarray(answers) == digits)),
        "invocations": len(latencies_ms),
        "p50_ms": statistics.median(latencies_ms),
    }


def clean_up(predictor: Predictor | None, model: Model) -> None:
    """Delete what was made; an endpoint that is still being created cannot be, and stays."""
    try:
        if predictor:
            predictor.delete_endpoint()
    except SagedockError as error:
        model.show(f"{predictor} and its model stay, delete them later: {error}")
        return
    model.delete()
    model.show("deleted the endpoint, its configuration and its model")


def parse_options() -> argparse.Namespace:
    parser = serving_parser(__doc__ or "")
    parser.add_argument("--endpoint-name", help="default: digits-<time>")
    parser.add_argument(
        "--autoscale",
        nargs=3,
        type=float,
        metavar=("MIN", "MAX", "TARGET"),
        help="instances, and invocations per instance and minute",
    )
    parser.add_argument("--capture", metavar="URI", help="keep requests and answers below it")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the endpoint; locally, start `sagedock local up --detach` first",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
