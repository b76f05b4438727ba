"""Run a pipeline of the SageMaker SDK v2: train, look at the metric, make a model, or fail.

    python pipeline.py IMAGE SERVING ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import CacheConfig, TrainingStep

HERE = Path(__file__).resolve().parent.parent


def main(image: str, serving: str, role: str) -> None:
    session = PipelineSession()
    threshold = ParameterFloat(name="Threshold", default_value=2.0)
    label = ParameterString(name="Label", default_value="of v2")
    instance = ParameterString(name="InstanceType", default_value="ml.m5.large")
    estimator = Estimator(
        image,
        role=role,
        instance_count=1,
        instance_type=instance,
        entry_point="train.py",
        source_dir=str(HERE / "hello_script"),
        hyperparameters={"label": label},
        metric_definitions=[{"Name": "total", "Regex": r"total=([0-9.]+)"}],
        sagemaker_session=session,
    )
    data = session.upload_string_as_file_body("1,0\n", session.default_bucket(), "pipe/in/a.csv")
    train = TrainingStep(
        name="Train",
        step_args=estimator.fit({"train": TrainingInput(data)}),
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
    )
    model = Model(
        serving,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        role=role,
        sagemaker_session=session,
    )
    create = ModelStep(name="Make", step_args=model.create(instance_type="ml.m5.large"))
    total = train.properties.FinalMetricDataList["total"].Value
    check = ConditionStep(
        name="Check",
        conditions=[ConditionGreaterThanOrEqualTo(left=threshold, right=total)],
        if_steps=[create],
        else_steps=[FailStep("Stop", error_message=Join(on=" ", values=["total is", total]))],
    )
    pipeline = Pipeline(
        name="sdk-v2",
        parameters=[threshold, label, instance],
        steps=[train, check],
        sagemaker_session=session,
    )
    pipeline.upsert(role_arn=role)
    pipeline.upsert(role_arn=role)
    good = pipeline.start()
    good.wait(delay=1, max_attempts=200)
    bad = pipeline.start(parameters={"Threshold": 0.0})
    said = ""
    try:
        bad.wait(delay=1, max_attempts=200)
    except Exception as error:  # noqa: BLE001 - botocore's WaiterError
        said = type(error).__name__
    print()
    sagemaker = session.boto_session.client("sagemaker")
    trials = sagemaker.list_trials(ExperimentName="sdk-v2")["TrialSummaries"]
    components = sagemaker.list_trial_components(TrialName=good.arn.rpartition("/")[2])
    facts = {
        "trials": [each["TrialName"] for each in trials],
        "runs": [each.arn.rpartition("/")[2] for each in (good, bad)],
        "tracked": [
            each["TrialComponentSource"]["SourceArn"]
            for each in components["TrialComponentSummaries"]
        ],
        "trained": good.list_steps()[-1]["Metadata"]["TrainingJob"]["Arn"],
        "good": {each["StepName"]: each["StepStatus"] for each in good.list_steps()},
        "bad": {
            each["StepName"]: each.get("FailureReason", each["StepStatus"])
            for each in bad.list_steps()
        },
        "kept": [each["StepName"] for each in bad.list_steps() if each.get("CacheHitResult")],
        "said": said,
        "status": good.describe()["PipelineExecutionStatus"],
    }
    pipeline.delete()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
