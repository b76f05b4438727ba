"""Processing jobs whose requests are reviewed."""

from sagedock.jobs import ProcessingInput, ProcessingJob, ProcessingOutput, Request

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
ROLE = "arn:aws:iam::123456789012:role/sagedock"
FOLDER = "/opt/ml/processing"

SMALL = ProcessingJob(name="processing", image_uri=IMAGE, role=ROLE, instance_type="ml.m5.large")
FULL = ProcessingJob(
    name="processing-full",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=2,
    volume_size_in_gb=100,
    entrypoint=["python3", f"{FOLDER}/input/code/clean.py"],
    arguments=["--share", "0.2"],
    inputs=[
        ProcessingInput(
            source="s3://bucket/rows/",
            destination=f"{FOLDER}/input/rows",
            input_name="rows",
            s3_data_distribution_type="ShardedByS3Key",
            s3_compression_type="None",
        ),
        ProcessingInput(
            source="s3://bucket/rows.manifest",
            destination=f"{FOLDER}/input/listed",
            input_name="listed",
            s3_data_type="ManifestFile",
        ),
    ],
    outputs=[
        ProcessingOutput(
            source=f"{FOLDER}/output",
            destination="s3://bucket/clean/",
            output_name="clean",
            s3_upload_mode="Continuous",
        )
    ],
    env={"LEVEL": "debug"},
    max_runtime_in_seconds=3600,
    volume_kms_key="key-1",
    output_kms_key="key-2",
    encrypt_inter_container_traffic=True,
    enable_network_isolation=True,
    subnets=["subnet-1"],
    security_group_ids=["sg-1"],
    tags={"team": "vision"},
)

PROCESSING: dict[str, tuple[Request, ...]] = {job.name: job.requests() for job in (SMALL, FULL)}
