"""Models, endpoints and transform jobs whose requests are reviewed."""

from dataclasses import replace

from sagedock.jobs import (
    AsyncInference,
    DataCapture,
    EndpointDeployment,
    HostedModel,
    ModelContainer,
    ModelGroup,
    ModelVersion,
    ProductionVariant,
    Request,
    Serverless,
    TransformJob,
)

ROLE = "arn:aws:iam::123456789012:role/sagedock"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-serving:cpu"
TOPIC = "arn:aws:sns:us-west-2:123456789012:answers"

MODEL = HostedModel(
    name="digits",
    role=ROLE,
    containers=[
        ModelContainer(
            image_uri=IMAGE,
            model_data="s3://bucket/digits/model.tar.gz",
            environment={"SAGEMAKER_PROGRAM": "inference.py"},
        )
    ],
)
PIPELINE = HostedModel(
    name="pipeline",
    role=ROLE,
    containers=[
        ModelContainer(image_uri=IMAGE, hostname="first", model_data="s3://bucket/folder/"),
        ModelContainer(
            image_uri=IMAGE, hostname="second", mode="MultiModel", model_data="s3://bucket/many/"
        ),
    ],
    execution="Direct",
    enable_network_isolation=True,
    subnets=("subnet-1",),
    security_group_ids=("sg-1",),
    tags={"team": "vision"},
)
GROUP = ModelGroup(name="digits", description="handwritten digits", tags={"team": "vision"})
VERSION = ModelVersion(
    group="digits",
    containers=MODEL.containers,
    approval="Approved",
    description="first",
    content_types=["text/csv"],
    response_types=["application/json"],
    inference_instances=["ml.m5.large"],
    transform_instances=["ml.m5.large"],
    metadata={"accuracy": "0.97"},
    metrics={
        "ModelQuality": {
            "Statistics": {"ContentType": "application/json", "S3Uri": "s3://bucket/report.json"}
        }
    },
    domain="COMPUTER_VISION",
    task="IMAGE_CLASSIFICATION",
    generated_by="arn:aws:sagemaker:us-west-2:123456789012:training-job/digits",
    extra={"SkipModelValidation": "All"},
)
VARIANT = ProductionVariant(model_name="digits", instance_type="ml.c5.xlarge")
ENDPOINT = EndpointDeployment(name="digits", variants=[VARIANT])
FULL = EndpointDeployment(
    name="full",
    config_name="full-2",
    variants=[
        replace(
            VARIANT,
            variant_name="blue",
            initial_weight=0.9,
            initial_instance_count=2,
            volume_size=64,
            model_data_download_timeout=600,
            container_startup_health_check_timeout=300,
            extra={"EnableSSMAccess": True},
        ),
        replace(VARIANT, variant_name="green", initial_weight=0.1),
    ],
    data_capture=DataCapture(
        destination_s3_uri="s3://bucket/captured", sampling_percentage=100, kms_key_id="key-1"
    ),
    kms_key="key-2",
    tags={"team": "vision"},
)
ASYNCHRONOUS = EndpointDeployment(
    name="asynchronous",
    variants=[VARIANT],
    async_inference=AsyncInference(
        output_path="s3://bucket/answers",
        failure_path="s3://bucket/failures",
        max_concurrent_invocations_per_instance=4,
        success_topic=TOPIC,
        error_topic=TOPIC,
    ),
)
SERVERLESS = EndpointDeployment(
    name="serverless",
    variants=[ProductionVariant(model_name="digits", serverless=Serverless(max_concurrency=2))],
)
TRANSFORM = TransformJob(
    name="transform",
    model_name="digits",
    data="s3://bucket/records/",
    output_path="s3://bucket/answers/",
    instance_type="ml.c5.xlarge",
)
FULL_TRANSFORM = TransformJob(
    name="full-transform",
    model_name="digits",
    data="s3://bucket/records.manifest",
    data_type="ManifestFile",
    output_path="s3://bucket/answers/",
    instance_type="ml.c5.xlarge",
    instance_count=2,
    content_type="application/jsonlines",
    compression_type="Gzip",
    split_type="Line",
    strategy="MultiRecord",
    assemble_with="Line",
    accept="application/jsonlines",
    max_concurrent_transforms=4,
    max_payload=6,
    input_filter="$.features",
    output_filter="$['id','SageMakerOutput']",
    join_source="Input",
    invocation_timeout_s=60,
    invocation_max_retries=2,
    environment={"BATCH": "1"},
    output_kms_key="key-1",
    volume_kms_key="key-2",
    tags={"team": "vision"},
)

SERVING: dict[str, tuple[Request, ...]] = {
    "model": MODEL.requests(),
    "model-of-containers": PIPELINE.requests(),
    "model-group": GROUP.requests(),
    "model-version": VERSION.requests(),
    "endpoint": ENDPOINT.requests(),
    "endpoint-full": FULL.requests(),
    "endpoint-update": FULL.update_requests(),
    "endpoint-asynchronous": ASYNCHRONOUS.requests(),
    "endpoint-serverless": SERVERLESS.requests(),
    "transform": TRANSFORM.requests(),
    "transform-full": FULL_TRANSFORM.requests(),
}
