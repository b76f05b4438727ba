"""Transform a data set with a PipelineModel of the SageMaker SDK v2.

    python transform_pipeline.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys

import sagemaker
from sagemaker.model import Model
from sagemaker.pipeline import PipelineModel


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    bucket = session.default_bucket()
    session.upload_string_as_file_body("pass which\nwhich\n", bucket, "pipeline-v2/in/a.txt")
    models = [
        Model(image, role=role, env={"WHICH": name}, sagemaker_session=session)
        for name in ("first", "second")
    ]
    pipeline = PipelineModel(models, role, name="pipeline-v2", sagemaker_session=session)
    transformer = pipeline.transformer(
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="SingleRecord",
        assemble_with="Line",
        output_path=f"s3://{bucket}/pipeline-v2/out",
    )
    transformer.transform(
        f"s3://{bucket}/pipeline-v2/in", content_type="text/plain", split_type="Line", logs=True
    )
    print()
    found = session.sagemaker_client.describe_model(ModelName="pipeline-v2")["Containers"]
    facts = {
        "stored": session.read_s3_file(bucket, "pipeline-v2/out/a.txt.out"),
        "containers": [each["Environment"]["WHICH"] for each in found],
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
