"""Transform a data set with the Transformer of the SageMaker SDK v3.

    python transform.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys

import boto3
from sagemaker.core.resources import Model
from sagemaker.core.shapes import ContainerDefinition
from sagemaker.core.transformer import Transformer

BUCKET = "transform-v3"


def main(image: str, role: str) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name},
    )
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1,2\n3,4\n")
    Model.create(
        model_name="transform-v3",
        primary_container=ContainerDefinition(image=image),
        execution_role_arn=role,
    )
    transformer = Transformer(
        model_name="transform-v3",
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{BUCKET}/out",
    )
    transformer.transform(
        f"s3://{BUCKET}/in", content_type="text/csv", split_type="Line", wait=True, logs=True
    )
    stored = s3.get_object(Bucket=BUCKET, Key="out/a.csv.out")["Body"].read()
    print()
    print(json.dumps({"stored": stored.decode()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
