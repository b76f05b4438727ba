"""distribution= in SDK v2's words, as the hyperparameters that the container's launcher reads."""

from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.jobs import InstanceGroup, Script, TrainingJob
from sagedock.jobs.distribution import distribution_hyperparameters, distribution_in

GROUP = InstanceGroup(instance_group_name="train", instance_type="ml.g5.xlarge", instance_count=2)


@pytest.mark.parametrize(
    ("distribution", "sent"),
    [
        ({}, {}),
        ({"torch_distributed": {"enabled": False}}, {}),
        (
            {"torch_distributed": {"enabled": True}},
            {"sagemaker_torch_distributed_enabled": True, "sagemaker_instance_type": "ml.x"},
        ),
        (
            {"pytorchddp": {"enabled": True, "processes_per_host": 2}},
            {
                "sagemaker_pytorch_ddp_enabled": True,
                "sagemaker_mpi_num_of_processes_per_host": 2,
                "sagemaker_instance_type": "ml.x",
            },
        ),
        (
            {"mpi": {"enabled": True}, "instance_groups": [GROUP]},
            {
                "sagemaker_mpi_enabled": True,
                "sagemaker_mpi_custom_mpi_options": "",
                "sagemaker_distribution_instance_groups": ["train"],
            },
        ),
    ],
)
def test_what_is_sent(distribution: dict[str, Any], sent: dict[str, Any]) -> None:
    assert distribution_hyperparameters(distribution, "ml.x") == sent


@pytest.mark.parametrize(
    "distribution",
    [
        {},
        {"torch_distributed": {"enabled": True, "processes_per_host": 2}},
        {"pytorchddp": {"enabled": True}},
        {
            "mpi": {"enabled": True, "custom_mpi_options": "-x A=1"},
            "instance_groups": ["train"],
        },
    ],
)
def test_it_is_read_back_from_what_was_sent(distribution: dict[str, Any]) -> None:
    assert distribution_in(distribution_hyperparameters(distribution, "ml.x")) == distribution


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        distribution_hyperparameters(
            {
                "smdistributed": {"dataparallel": {"enabled": True}},
                "torch_distributed": {"enabled": True, "nodes": 2},
                "mpi": {"enabled": True, "processes_per_host": 0},
                "pytorchddp": True,
            },
            None,
        )
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "distribution['smdistributed']",
        "distribution['torch_distributed']['nodes']",
        "distribution['mpi']['processes_per_host']",
        "distribution['pytorchddp']",
        "distribution",
    ]


def test_a_distribution_without_a_script_is_refused() -> None:
    job = TrainingJob(
        name="j",
        image_uri="i",
        role="r",
        instance_type="ml.m5.large",
        output_path="s3://b/",
        distribution={"mpi": {"enabled": True}},
    )
    with pytest.raises(InvalidRequest, match="entry_point"):
        job.requests()


def test_groups_take_the_place_of_type_and_count() -> None:
    job = TrainingJob(
        name="j",
        image_uri="i",
        role="r",
        output_path="s3://b/",
        instance_groups=[GROUP],
        script=Script(program="t.py", submit_directory="s3://b/c", region="us-west-2"),
    )
    (request,) = job.requests()
    assert request.parameters["ResourceConfig"] == {
        "VolumeSizeInGB": 30,
        "InstanceGroups": [
            {"InstanceGroupName": "train", "InstanceType": "ml.g5.xlarge", "InstanceCount": 2}
        ],
    }
