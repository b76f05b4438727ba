"""Run a pipeline of the SageMaker SDK v3: train, look at the metric, train on, or fail.

    python pipeline.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterFloat
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, MetricDefinition, SourceCode

SOURCE = Path(__file__).parents[1] / "hello_script"


def main(image: str, role: str) -> None:
    session = PipelineSession()
    threshold = ParameterFloat(name="Threshold", default_value=2.0)

    def trainer(label: str) -> ModelTrainer:
        return ModelTrainer(
            training_image=image,
            role=role,
            source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            hyperparameters={"label": label},
            sagemaker_session=session,
        ).with_metric_definitions([MetricDefinition(name="total", regex="total=([0-9.]+)")])

    data = session.upload_string_as_file_body("1,0\n", session.default_bucket(), "pipe/in/a.csv")
    inputs = [InputData(channel_name="train", data_source=data)]
    train = TrainingStep(name="Train", step_args=trainer("first").train(input_data_config=inputs))
    more = TrainingStep(name="More", step_args=trainer("more").train(input_data_config=inputs))
    total = train.properties.FinalMetricDataList["total"].Value
    check = ConditionStep(
        name="Check",
        conditions=[ConditionGreaterThanOrEqualTo(left=threshold, right=total)],
        if_steps=[more],
        else_steps=[FailStep("Stop", error_message=Join(on=" ", values=["total is", total]))],
    )
    pipeline = Pipeline(
        name="sdk-v3", parameters=[threshold], steps=[train, check], sagemaker_session=session
    )
    pipeline.upsert(role_arn=role)
    good = pipeline.start()
    good.wait(delay=1, max_attempts=200)
    bad = pipeline.start(parameters={"Threshold": 0.0})
    said = ""
    try:
        bad.wait(delay=1, max_attempts=200)
    except Exception as error:  # noqa: BLE001 - botocore's WaiterError
        said = type(error).__name__
    facts = {
        "good": {each["StepName"]: each["StepStatus"] for each in good.list_steps()},
        "bad": {
            each["StepName"]: each.get("FailureReason", each["StepStatus"])
            for each in bad.list_steps()
        },
        "said": said,
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
