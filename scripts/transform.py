"""Run the digits model over the test set in S3, without an endpoint, and compare its answers.

python scripts/transform.py
python scripts/transform.py --data s3://bucket/rows/ --output s3://bucket/answers/
python scripts/transform.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
import tempfile
from pathlib import Path

from prepare_data import channels
from program import report, run, session_of
from trained import serving_parser, trained_model

from sagedock import Session


def main() -> int:
    options = parse_options()
    session = session_of(options)
    data = options.data or channels(session)["test"]
    model = trained_model(session, options)
    transformer = model.transformer(
        options.instance_type,
        instance_count=options.instances,
        output_path=options.output,
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        base_job_name="digits",
    )
    try:
        # The rows are the digit, then its pixels: the model gets the pixels alone, and its answer
        # is written behind the digit.
        where = transformer.transform(
            data,
            content_type="text/csv",
            split_type="Line",
            input_filter="$[1:]",
            join_source="Input",
            output_filter="$[0,-1]",
        )
    finally:
        model.delete()
    rows = answers(session, where)
    right = sum(digit == answer for digit, answer in rows)
    facts = {"output": where, "rows": len(rows), "test:accuracy": right / len(rows)}
    report(facts, as_json=options.json)
    return 0


def answers(session: Session, where: str) -> list[tuple[int, int]]:
    """Return the digits and the model's answers, of all objects of the output."""
    with tempfile.TemporaryDirectory() as folder:
        files = session.download(where, Path(folder))
        lines = [line for file in files for line in file.read_text().splitlines()]
    pairs = (line.split(",") for line in lines)
    return [(int(digit), int(float(answer))) for digit, answer in pairs]


def parse_options() -> argparse.Namespace:
    parser = serving_parser(__doc__ or "")
    parser.add_argument("--data", metavar="URI", help="rows as CSV: the digit, then 64 pixels")
    parser.add_argument("--output", metavar="URI", help="default: a folder of the default bucket")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
