"""Jobs and the requests they become, as reviewed JSON files.

A change of a request shows up as a diff of its file: ``UPDATE_GOLDEN=1 pytest tests/golden`` writes
the files anew.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sagedock.api import problems_in_request, rule_problems, unknown_members
from sagedock.jobs import (
    Channel,
    FileSystemChannel,
    InstanceGroup,
    Request,
    Script,
    TrainingJob,
)
from sagedock.local.pipelines.checking import problem
from sagedock.local.pipelines.reading import read_definition
from tests.golden.pipeline_requests import PIPELINE, PIPELINES
from tests.golden.processing_requests import PROCESSING
from tests.golden.serving_requests import SERVING
from tests.golden.tuning_requests import TUNING

HERE = Path(__file__).parent / "requests"
ROLE = "arn:aws:iam::123456789012:role/sagedock"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"

MINIMAL = TrainingJob(
    name="minimal",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.m5.large",
    output_path="s3://bucket/output/",
)
SCRIPT = TrainingJob(
    name="script",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.m5.large",
    output_path="s3://bucket/output/",
    hyperparameters={"epochs": 3, "lr": 0.1, "optimizer": "adam", "amp": True, "layers": [8, 4]},
    script=Script(
        program="train.py",
        submit_directory="s3://bucket/script/source/sourcedir.tar.gz",
        region="us-west-2",
    ),
    inputs={"train": "s3://bucket/train/"},
)
FULL = TrainingJob(
    name="full",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.g5.2xlarge",
    instance_count=2,
    volume_size_gb=100,
    volume_kms_key="key-1",
    output_path="s3://bucket/output/",
    output_kms_key="key-2",
    max_run_s=3600,
    max_wait_s=7200,
    max_retry_attempts=3,
    use_spot_instances=True,
    hyperparameters={"epochs": 3, "lr": 0.1, "optimizer": "adam", "amp": True},
    environment={"NCCL_DEBUG": "INFO"},
    inputs={
        "train": Channel(
            s3_data="s3://bucket/train/",
            content_type="application/x-recordio",
            distribution="ShardedByS3Key",
            compression="Gzip",
            record_wrapping="RecordIO",
            input_mode="Pipe",
            shuffle_seed=7,
        ),
        "labels": Channel(
            s3_data="s3://bucket/labels.manifest",
            s3_data_type="AugmentedManifestFile",
            attribute_names=("source-ref", "label"),
        ),
    },
    input_mode="Pipe",
    metric_definitions=({"Name": "loss", "Regex": "loss=([0-9.]+)"},),
    checkpoint_s3_uri="s3://bucket/checkpoints/",
    checkpoint_local_path="/opt/ml/checkpoints",
    container_entry_point=("python", "-m", "training"),
    container_arguments=("--verbose",),
    encrypt_inter_container_traffic=True,
    subnets=("subnet-1",),
    security_group_ids=("sg-1",),
    tags={"team": "vision"},
    extra={
        "RetryStrategy": {"MaximumRetryAttempts": 2},
        "StoppingCondition": {"MaxPendingTimeInSeconds": 7200},
    },
)
ISOLATED_SCRIPT = TrainingJob(
    name="isolated",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.m5.large",
    output_path="s3://bucket/output/",
    script=Script(
        program="train.py",
        submit_directory="s3://bucket/isolated/source/sourcedir.tar.gz",
        region="us-west-2",
    ),
    enable_network_isolation=True,
)
INSTANCE_GROUPS = TrainingJob(
    name="groups",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="unused",
    output_path="s3://bucket/output/",
    extra={
        "ResourceConfig": {
            "InstanceType": None,
            "InstanceCount": None,
            "InstanceGroups": [
                {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
                {"InstanceGroupName": "gpu", "InstanceType": "ml.g5.xlarge", "InstanceCount": 2},
            ],
        }
    },
)
DATA = TrainingJob(
    name="data",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.g5.2xlarge",
    output_path="s3://bucket/output/",
    disable_output_compression=True,
    subnets=("subnet-1",),
    security_group_ids=("sg-1",),
    input_mode="FastFile",
    inputs={
        "images": "s3://bucket/images/",
        "listed": Channel(
            s3_data="s3://bucket/listed.manifest",
            s3_data_type="ManifestFile",
            input_mode="File",
        ),
        "shared": FileSystemChannel(
            file_system_id="fs-0123456789abcdef0",
            file_system_type="FSxLustre",
            directory_path="/mount/shared",
            content_type="text/csv",
        ),
        "scratch": FileSystemChannel(
            file_system_id="fs-89abcdef",
            file_system_type="EFS",
            directory_path="/",
            file_system_access_mode="rw",
        ),
    },
)
CHANNELS_OF_GROUPS = replace(
    INSTANCE_GROUPS,
    name="channels-of-groups",
    inputs={
        "train": Channel(s3_data="s3://bucket/train/", instance_groups=("gpu",)),
        "code": Channel(s3_data="s3://bucket/code/", instance_groups=("cpu", "gpu")),
    },
)
DISTRIBUTED = replace(
    SCRIPT,
    name="distributed",
    instance_count=2,
    instance_type="ml.p5.48xlarge",
    distribution={"torch_distributed": {"enabled": True}},
)
MPI_IN_ONE_GROUP = replace(
    SCRIPT,
    name="mpi",
    instance_type=None,
    instance_groups=[
        InstanceGroup(instance_group_name="data", instance_type="ml.c5.18xlarge", instance_count=1),
        InstanceGroup(
            instance_group_name="train", instance_type="ml.p4d.24xlarge", instance_count=2
        ),
    ],
    distribution={
        "mpi": {"enabled": True, "processes_per_host": 8, "custom_mpi_options": "--verbose"},
        "instance_groups": ["train"],
    },
)
TRAINING_JOBS = [
    *(MINIMAL, SCRIPT, FULL, ISOLATED_SCRIPT, INSTANCE_GROUPS, DATA, CHANNELS_OF_GROUPS),
    *(DISTRIBUTED, MPI_IN_ONE_GROUP),
]
#: Anything that becomes requests, by the name of its file.
REVIEWED: dict[str, tuple[Request, ...]] = {
    **{job.name: job.requests() for job in TRAINING_JOBS},
    **PROCESSING,
    **SERVING,
    **PIPELINES,
    **TUNING,
}


@pytest.mark.parametrize("name", REVIEWED)
def test_a_job_becomes_the_reviewed_requests(name: str) -> None:
    path = HERE / f"{name}.json"
    requests = [
        {"service": one.service, "operation": one.operation, "parameters": dict(one.parameters)}
        for one in REVIEWED[name]
    ]
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(requests, indent=2) + "\n")
    assert requests == json.loads(path.read_text())


@pytest.mark.parametrize("name", REVIEWED)
def test_a_reviewed_request_is_one_that_the_service_takes(name: str) -> None:
    for request in REVIEWED[name]:
        named = (request.service, request.operation, request.parameters)
        assert not problems_in_request(*named)
        assert not unknown_members(*named)
        assert not rule_problems(*named)


def test_a_pipeline_becomes_the_reviewed_definition() -> None:
    """The same as its request has as text, to be read."""
    path = HERE / "pipeline-definition.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(PIPELINE.document(), indent=2) + "\n")
    assert PIPELINE.document() == json.loads(path.read_text())
    assert problem(read_definition(json.dumps(PIPELINE.document()))) is None


def test_every_reviewed_file_belongs_to_a_job() -> None:
    names = {path.stem for path in HERE.glob("*.json")}
    assert names == {*REVIEWED, "pipeline-definition"}
