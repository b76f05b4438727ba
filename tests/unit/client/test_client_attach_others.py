"""Attaching to jobs that another client created, in its own way."""

from sagedock import Estimator
from tests.conftest import IMAGE
from tests.unit.client.conftest import Client


def test_hyperparameters_beside_a_program_need_not_be_json(client: Client) -> None:
    """The training toolkit takes plain text too."""
    sent = {"sagemaker_program": "train.py", "epochs": "3", "name": "plain text"}
    client.local.run(HyperParameters=sent)
    estimator = Estimator.attach("probe-1", session=client.session)
    assert estimator.entry_point == "train.py"
    assert estimator.hyperparameters == {"epochs": 3, "name": "plain text"}


def test_a_job_on_groups_of_machines(client: Client) -> None:
    groups = [{"InstanceGroupName": "one", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1}]
    client.local.run(ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 10})
    estimator = Estimator.attach("probe-1", session=client.session)
    assert estimator.wait().status == "Completed"
    assert estimator.image_uri == IMAGE
