"""Pipelines of the SageMaker SDKs, unmodified."""

import pytest

from tests.clients.conftest import IMAGE, ROLE, Runner
from tests.docker.hosting_real import SERVING, images

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("images")]
__all__ = ["images"]


def test_the_sdk_v2_runs_a_pipeline(runner: Runner) -> None:
    """Train, look at the metric, make a model; and with another threshold fail, saying why, with
    the training's result used again.
    """
    facts = runner.client("sdk_v2", "sdk_v2/pipeline.py", IMAGE, SERVING, ROLE)
    assert facts["status"] == "Succeeded"
    assert facts["good"] == {
        "Train": "Succeeded",
        "Check": "Succeeded",
        "Make-CreateModel": "Succeeded",
    }
    assert facts["bad"] == {
        "Train": "Succeeded",
        "Check": "Succeeded",
        "Stop": "total is 1.0",
    }
    assert facts["kept"] == ["Train"]
    assert facts["said"] == "WaiterError"
    assert sorted(facts["trials"]) == sorted(facts["runs"])
    assert facts["tracked"] == [facts["trained"]]


def test_the_sdk_v3_runs_a_pipeline(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/pipeline.py", IMAGE, ROLE)
    assert facts["good"] == {"Train": "Succeeded", "Check": "Succeeded", "More": "Succeeded"}
    assert facts["bad"] == {
        "Train": "Succeeded",
        "Check": "Succeeded",
        "Stop": "total is 1.0",
    }
    assert facts["said"] == "WaiterError"


def test_the_sdk_v2_runs_a_pipeline_of_every_kind_of_job(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/pipeline_of_all.py", IMAGE, SERVING, ROLE)
    assert facts["steps"] == {
        **dict.fromkeys(("Process", "Tune", "Train", "Evaluate", "Check"), "Succeeded"),
        **dict.fromkeys(("Register-RegisterModel", "Make-CreateModel", "Transform"), "Succeeded"),
    }
    assert facts["versions"] == [1]
    assert facts["stored"] == "1,2\n3,4\n"
    assert facts["lineage"] == {
        "Train": [
            ["Input", "DataSet", "ContributedTo", "artifact"],
            ["Input", "Image", "ContributedTo", "artifact"],
            ["Output", "Model", "Produced", "artifact"],
        ],
        "Register-RegisterModel": [
            ["Input", "Approval", "ContributedTo", "action"],
            ["Input", "Image", "ContributedTo", "artifact"],
            ["Input", "Model", "ContributedTo", "artifact"],
            ["Output", "ModelGroup", "AssociatedWith", "context"],
        ],
    }


def test_the_sdk_v2_runs_a_pipeline_of_functions_callbacks_and_conditions(runner: Runner) -> None:
    """Every class of condition; an answer used again; one execution of one step; two answers."""
    facts = runner.client("sdk_v2", "sdk_v2/pipeline_of_steps.py", ROLE)
    outcomes = {n: outcome for n, outcome in facts["good"].items() if n.endswith(("True", "False"))}
    assert len(outcomes) == 16
    assert {name: name.rpartition("-")[2] for name in outcomes} == outcomes
    assert {name: said for name, said in facts["good"].items() if name not in outcomes} == {
        "Double": "Succeeded",
        "Again": "Succeeded",
        "Ask": "Succeeded",
        "Enough": "True",
        "Tell": "it is enough true",
    }
    assert facts["outputs"] == [
        {"Name": "doubled", "Value": "84"},
        {"Name": "said", "Value": "small by double"},
    ]
    assert facts["asked"][0] == {"number": 84, "run": facts["run"]}
    assert facts["parallelism"] == {"MaxParallelExecutionSteps": 3}
    assert (
        'Parameter [Size] value [huge] is not one of the enum values ["small", "large"]'
        in (facts["refused"])
    )
    assert facts["bad"] == {"Double": "Succeeded", "Again": "Succeeded", "Ask": "nobody knows"}
    assert facts["kept"] == ["Double"]
    assert facts["chosen"] == {"Double": True, "Again": False}
    assert facts["parameters"] == {
        "Number": "21",
        "Size": "small",
        "Ratio": "0.5",
        "Wanted": "true",
    }


def test_the_sdk_v2_deploys_by_a_pipeline(runner: Runner) -> None:
    """Source of the configurations' names: row 170."""
    facts = runner.client("sdk_v2", "sdk_v2/pipeline_of_endpoints.py", SERVING, ROLE)
    assert facts["said"] == ["first", "second"]
    for config, run in zip(facts["configs"], facts["runs"], strict=True):
        assert config.startswith(f"sdk-v2-config-{run}-")
    made = {
        "Make-CreateModel": ["Succeeded", ["Model"]],
        "Configure": ["Succeeded", ["EndpointConfig"]],
        "Deploy": ["Succeeded", ["Endpoint"]],
    }
    assert facts["steps"] == [made, made]


def test_the_sdk_v3_runs_a_pipeline_of_functions_callbacks_and_endpoints(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/pipeline_of_steps.py", SERVING, ROLE)
    assert facts["good"]["steps"] == dict.fromkeys(
        ("Double", "Ask", "Check", "Configure", "Deploy"), "Succeeded"
    )
    assert facts["config"].startswith(f"sdk-v3-config-{facts['good']['run']}-")
    assert facts["said"] == "v3"
    assert facts["bad"]["steps"] == {"Double": "Succeeded", "Ask": "nobody knows"}
