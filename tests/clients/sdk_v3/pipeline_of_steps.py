"""Run a pipeline of the SageMaker SDK v3: a function, a callback, and a model that is deployed.

    python pipeline_of_steps.py SERVING ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import threading
from pathlib import Path
from typing import Any

from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.resources import Model
from sagemaker.core.shapes import ContainerDefinition
from sagemaker.core.workflow.conditions import ConditionIn, ConditionNot
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.callback_step import (
    CallbackOutput,
    CallbackOutputTypeEnum,
    CallbackStep,
)
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline

FUNCTION = Path(__file__).resolve().parent.parent / "functions" / "double.py"
NAME = "sdk-v3-deployed"


def pipeline_of(session: PipelineSession, role: str, queue: str) -> Pipeline:
    """Return a pipeline that doubles a number, asks whether that is right, and deploys a model."""
    number = ParameterInteger(name="Number", default_value=21)
    function = Lambda(
        function_name="double",
        execution_role_arn=role,
        script=str(FUNCTION),
        handler="double.handler",
        session=session,
    )
    double = LambdaStep(
        name="Double",
        lambda_func=function,
        inputs={"number": number, "size": "large"},
        outputs=[LambdaOutput("doubled", LambdaOutputTypeEnum.Integer)],
    )
    ask = CallbackStep(
        name="Ask",
        sqs_queue_url=queue,
        inputs={"number": double.properties.Outputs["doubled"]},
        outputs=[CallbackOutput("answer", CallbackOutputTypeEnum.String)],
    )
    configure = EndpointConfigStep(
        name="Configure",
        step_args=session.create_endpoint_config(
            name="sdk-v3-config",
            production_variants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": "sdk-v3-model",
                    "InitialInstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                }
            ],
        ),
    )
    deploy = EndpointStep(
        name="Deploy",
        step_args=session.create_endpoint(
            endpoint_name=NAME, config_name=configure.properties.EndpointConfigName
        ),
    )
    wrong = ConditionNot(
        expression=ConditionIn(value=ask.properties.Outputs["answer"], in_values=["right"])
    )
    check = ConditionStep(
        name="Check",
        conditions=[wrong],
        if_steps=[FailStep("Stop", error_message="it is wrong")],
        else_steps=[configure, deploy],
    )
    return Pipeline(
        name="sdk-v3-steps",
        parameters=[number],
        steps=[double, ask, check],
        sagemaker_session=session,
    )


def run(pipeline: Pipeline, session: PipelineSession, queue: str, answer: Any) -> Any:
    """Run it, and answer its callback by ``answer``; return what came of each step."""
    sqs = session.boto_session.client("sqs")

    def answers() -> None:
        found: list[Any] = []
        while not found:
            found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
        (message,) = found
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        answer(json.loads(message["Body"]))

    thread = threading.Thread(target=answers)
    thread.start()
    execution = pipeline.start()
    try:
        execution.wait(delay=1, max_attempts=200)
    except Exception as error:  # noqa: BLE001 - botocore's WaiterError: it failed
        print(error)
    thread.join()
    steps = {
        each["StepName"]: each.get("FailureReason", each["StepStatus"])
        for each in execution.list_steps()
    }
    return {"run": execution.arn.rpartition("/")[2], "steps": steps}


def main(serving: str, role: str) -> None:
    session = PipelineSession()
    boto = session.boto_session
    sagemaker, runtime = boto.client("sagemaker"), boto.client("sagemaker-runtime")
    queue = boto.client("sqs").create_queue(QueueName="questions")["QueueUrl"]
    Model.create(
        model_name="sdk-v3-model",
        primary_container=ContainerDefinition(image=serving, environment={"WHICH": "v3"}),
        execution_role_arn=role,
    )
    pipeline = pipeline_of(session, role, queue)
    pipeline.upsert(role_arn=role)

    def right(message: Any) -> None:
        said = "right" if message["arguments"] == {"number": 42} else str(message["arguments"])
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=message["token"], OutputParameters=[{"Name": "answer", "Value": said}]
        )

    def nobody(message: Any) -> None:
        sagemaker.send_pipeline_execution_step_failure(
            CallbackToken=message["token"], FailureReason="nobody knows"
        )

    good = run(pipeline, session, queue, right)
    answer = runtime.invoke_endpoint(EndpointName=NAME, Body=b"which", ContentType="text/plain")
    facts = {
        "good": good,
        "config": sagemaker.describe_endpoint(EndpointName=NAME)["EndpointConfigName"],
        "said": answer["Body"].read().decode(),
        "bad": run(pipeline, session, queue, nobody),
    }
    sagemaker.delete_endpoint(EndpointName=NAME)
    pipeline.delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
