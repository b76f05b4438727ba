"""Transform a data set with the SageMaker SDK v2 as its documentation shows it.

    python transform.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys

import sagemaker
from sagemaker.transformer import Transformer


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    bucket = session.default_bucket()
    session.upload_string_as_file_body("a,1\nb,2\n", bucket, "sdk-v2/in/a.csv")
    session.create_model("transform-v2", role, {"Image": image, "Environment": {}})
    transformer = Transformer(
        "transform-v2",
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="SingleRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{bucket}/sdk-v2/out",
        sagemaker_session=session,
    )
    transformer.transform(
        f"s3://{bucket}/sdk-v2/in",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        logs=True,
    )
    print()
    print(json.dumps({"stored": session.read_s3_file(bucket, "sdk-v2/out/a.csv.out")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
