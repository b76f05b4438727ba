"""Process data with the SageMaker SDK v2 as its documentation shows it.

    python process.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor, ScriptProcessor

FOLDER = "/opt/ml/processing"
PROGRAM = """
import pathlib, sys
root = pathlib.Path("/opt/ml/processing")
lines = [line for file in sorted((root / "input" / "rows").iterdir()) for line in open(file)]
(root / "output" / "sum").write_text(str(sum(map(int, lines)) * int(sys.argv[1])))
pathlib.Path("/opt/ml/output/message").write_text("summed")
print("summed", len(lines), "lines")
"""


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    bucket = session.default_bucket()
    machine = {"instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
    script = ScriptProcessor(role=role, image_uri=image, command=["python3"], **machine)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rows").mkdir()
        Path(folder, "rows", "a").write_text("1\n2\n")
        Path(folder, "sum.py").write_text(PROGRAM)
        script.run(
            code=str(Path(folder, "sum.py")),
            inputs=[
                ProcessingInput(
                    source=str(Path(folder, "rows")), destination=f"{FOLDER}/input/rows"
                )
            ],
            outputs=[ProcessingOutput(output_name="sum", source=f"{FOLDER}/output")],
            arguments=["10"],
            logs=True,
        )
    described = script.latest_job.describe()
    target = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    own = Processor(
        role=role,
        image_uri=image,
        entrypoint=["/bin/sh", "-c"],
        max_runtime_in_seconds=60,
        **machine,
    )
    own.run(arguments=["echo $GREETING"], wait=True, logs=True)
    failing = Processor(role=role, image_uri=image, entrypoint=["false"], **machine)
    try:
        failing.run(wait=True, logs=False)
        failed = None
    except sagemaker.exceptions.UnexpectedStatusException as error:
        failed = str(error)
    print()
    facts = {
        "sum": session.read_s3_file(bucket, target.partition(f"{bucket}/")[2] + "/sum"),
        "status": described["ProcessingJobStatus"],
        "message": described["ExitMessage"],
        "own": own.latest_job.describe()["ProcessingJobStatus"],
        "failed": failed,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
