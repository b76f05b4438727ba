"""EFA's table against the service's enum, and against the training toolkit's own two lists."""

import botocore.session
import pytest

from sagedock.contract import fabric
from sagedock.contract.fabric import fabric_of

#: SM_EFA_NCCL_INSTANCES and SM_EFA_RDMA_INSTANCES of sagemaker-training 5.1.4.
TOOLKITS = {
    "ml.g4dn.8xlarge": False,
    "ml.g4dn.12xlarge": False,
    "ml.g5.48xlarge": False,
    "ml.p3dn.24xlarge": False,
    "ml.p4d.24xlarge": True,
    "ml.p4de.24xlarge": True,
    "ml.p5.48xlarge": True,
    "ml.p5e.48xlarge": True,
    "ml.trn1.32xlarge": True,
    "ml.p6e-gb200.36xlarge": True,
}


def test_every_row_is_an_instance_type_of_training_jobs_and_is_there_once() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    known = model.shape_for("TrainingInstanceType").enum
    names = [row.instance_type for row in fabric.FABRICS]
    assert set(names) <= set(known)
    assert len(names) == len(set(names)) == 53


@pytest.mark.parametrize(("name", "rdma"), TOOLKITS.items())
def test_the_toolkits_types_get_what_it_gives_them(name: str, rdma: bool) -> None:
    found = fabric_of(name)
    assert found is not None
    assert found.variables()["FI_PROVIDER"] == "efa"
    assert found.variables()["FI_EFA_FORK_SAFE"] == "1"
    assert (found.variables().get("FI_EFA_USE_DEVICE_RDMA") == "1") is rdma
    assert (found.variables().get("RDMAV_FORK_SAFE") == "1") is rdma


@pytest.mark.parametrize(
    ("name", "nccl_proto"),
    [
        ("ml.p5en.48xlarge", None),
        ("ml.p6-b200.48xlarge", None),
        ("ml.trn2.48xlarge", None),
        ("ml.trn1n.32xlarge", None),
        ("ml.g6e.48xlarge", "simple"),
    ],
)
def test_types_that_the_toolkit_misses(name: str, nccl_proto: str | None) -> None:
    found = fabric_of(name)
    assert found is not None
    assert found.variables().get("FI_EFA_USE_DEVICE_RDMA") == "1"
    assert found.variables().get("NCCL_PROTO") == nccl_proto


@pytest.mark.parametrize("name", ["ml.m5.large", "ml.p5.2xlarge", "local", ""])
def test_others_have_none(name: str) -> None:
    assert fabric_of(name) is None


@pytest.mark.parametrize("name", ["ml.trn1.32xlarge", "ml.trn1n.32xlarge", "ml.trn2.48xlarge"])
def test_trainium_gets_what_neurons_documentation_asks_for(name: str) -> None:
    found = fabric_of(name)
    assert found is not None
    assert (
        found.variables().items()
        >= {
            "FI_PROVIDER": "efa",
            "FI_EFA_USE_DEVICE_RDMA": "1",
            "FI_EFA_FORK_SAFE": "1",
        }.items()
    )
    assert "NCCL_PROTO" not in found.variables()


def test_the_smallest_trainium_has_no_efa() -> None:
    assert fabric_of("ml.trn1.2xlarge") is None
