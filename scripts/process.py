"""Split the digits into a train and a test set by a processing job, and say what it did.

python scripts/process.py
python scripts/process.py --test-share 0.3 --output s3://bucket/sets/
python scripts/process.py --target aws --role arn:aws:iam::<account>:role/<name> --image <ecr uri>
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prepare_data import DATA, write_digits
from program import parser_of, report, run, session_of

from sagedock import ProcessingInput, ProcessingOutput, ScriptProcessor, Session

CODE = Path(__file__).resolve().parent.parent / "examples" / "digits" / "preprocess.py"
FOLDER = "/opt/ml/processing"
OUTPUTS = ("train", "test", "report")


def main() -> int:
    options = parse_options()
    session = session_of(options)
    processor = ScriptProcessor(
        image_uri=options.image,
        role=options.role,
        instance_type=options.instance_type,
        base_job_name="digits",
        session=session,
        show=session.show,
    )
    result = processor.run(
        CODE,
        inputs=[
            ProcessingInput(source=options.data or digits(), destination=f"{FOLDER}/input/digits")
        ],
        outputs=[output(name, options.output) for name in OUTPUTS],
        arguments=["--test-share", str(options.test_share)],
    )
    told = read_report(session, result.outputs["report"])
    facts = {name: result.outputs[name] for name in ("train", "test")}
    counts = {"train rows": told["train_rows"], "test rows": told["test_rows"]}
    report({**facts, **counts, "message": result.exit_message}, as_json=options.json)
    return 0


def digits() -> str:
    """Write the digits if they are not there, and return their folder."""
    if not (DATA / "train" / "digits.csv").exists():
        write_digits()
    return str(DATA)


def output(name: str, below: str | None) -> ProcessingOutput:
    """Return an output, in a folder of the default bucket unless ``below`` names another."""
    return ProcessingOutput(
        source=f"{FOLDER}/output/{name}",
        destination=f"{below.rstrip('/')}/{name}" if below else None,
        output_name=name,
    )


def read_report(session: Session, uri: str) -> Mapping[str, Any]:
    """Return the report that the job stored."""
    with tempfile.TemporaryDirectory() as folder:
        (file,) = session.download(uri, Path(folder))
        told: Mapping[str, Any] = json.loads(file.read_text())
    return told


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__ or "", "sagedock-training")
    parser.add_argument("--data", metavar="URI", help="rows as CSV: the digit, then 64 pixels")
    parser.add_argument("--output", metavar="URI", help="default: folders of the default bucket")
    parser.add_argument("--test-share", type=float, default=0.2)
    options = parser.parse_args()
    if not 0 < options.test_share < 1:
        parser.error(f"--test-share: {options.test_share} is no share: give one between 0 and 1")
    return options


if __name__ == "__main__":
    run(main)
