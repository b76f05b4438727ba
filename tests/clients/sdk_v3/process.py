"""Process data with the ScriptProcessor of the SageMaker SDK v3.

    python process.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tempfile
from pathlib import Path

import boto3
from sagemaker.core.processing import Processor, ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)

BUCKET = "process-v3"
FOLDER = "/opt/ml/processing"
PROGRAM = """
import pathlib, sys
root = pathlib.Path("/opt/ml/processing")
lines = [line for file in sorted((root / "input" / "rows").iterdir()) for line in open(file)]
(root / "output" / "sum").write_text(str(sum(map(int, lines)) * int(sys.argv[1])))
print("summed", len(lines), "lines")
"""


def main(image: str, role: str) -> None:
    s3 = boto3.client("s3")
    place = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    s3.put_object(Bucket=BUCKET, Key="rows/a", Body=b"1\n2\n")
    rows = ProcessingInput(
        input_name="rows",
        s3_input=ProcessingS3Input(
            s3_uri=f"s3://{BUCKET}/rows",
            local_path=f"{FOLDER}/input/rows",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )
    total = ProcessingOutput(
        output_name="sum",
        s3_output=ProcessingS3Output(
            s3_uri=f"s3://{BUCKET}/sum", local_path=f"{FOLDER}/output", s3_upload_mode="EndOfJob"
        ),
    )
    machine = {"instance_count": 1, "instance_type": "ml.m5.large"}
    script = ScriptProcessor(role=role, image_uri=image, command=["python3"], **machine)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sum.py").write_text(PROGRAM)
        script.run(
            code=str(Path(folder, "sum.py")),
            inputs=[rows],
            outputs=[total],
            arguments=["10"],
            wait=True,
            logs=True,
        )
    own = Processor(role=role, image_uri=image, entrypoint=["echo", "hello"], **machine)
    own.run(wait=True, logs=True)
    print()
    facts = {
        "sum": s3.get_object(Bucket=BUCKET, Key="sum/sum")["Body"].read().decode(),
        "status": script.latest_job.refresh().processing_job_status,
        "own": own.latest_job.refresh().processing_job_status,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
