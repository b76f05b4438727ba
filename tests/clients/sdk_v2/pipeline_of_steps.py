"""Run a pipeline of the SageMaker SDK v2 without a job: functions, callbacks, conditions.

    python pipeline_of_steps.py ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sagemaker.lambda_helper import Lambda
from sagemaker.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import (
    Condition,
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionIn,
    ConditionLessThan,
    ConditionLessThanOrEqualTo,
    ConditionNot,
    ConditionOr,
)
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.parallelism_config import ParallelismConfiguration
from sagemaker.workflow.parameters import (
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.workflow.steps import CacheConfig

FUNCTION = Path(__file__).resolve().parent.parent / "functions" / "double.py"
CACHE = CacheConfig(enable_caching=True, expire_after="P1D")
Steps = dict[str, Any]


class Program:
    """One pipeline, and who answers its callbacks."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.session = PipelineSession()
        boto = self.session.boto_session
        self.sagemaker = boto.client("sagemaker")
        self.sqs = boto.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="questions")["QueueUrl"]
        self.messages: list[Any] = []
        self.number = ParameterInteger(name="Number", default_value=21)
        self.size = ParameterString(
            name="Size", default_value="small", enum_values=["small", "large"]
        )
        self.ratio = ParameterFloat(name="Ratio", default_value=0.5)
        self.wanted = ParameterBoolean(name="Wanted", default_value=True)

    def function(self) -> Lambda:
        return Lambda(
            function_name="double",
            execution_role_arn=self.role,
            script=str(FUNCTION),
            handler="double.handler",
            session=self.session,
        )

    def pipeline(self) -> Pipeline:
        outputs = [
            LambdaOutput(output_name="doubled", output_type=LambdaOutputTypeEnum.Integer),
            LambdaOutput(output_name="said", output_type=LambdaOutputTypeEnum.String),
        ]
        inputs = {"number": self.number, "size": self.size}
        first = LambdaStep(
            name="Double",
            lambda_func=self.function(),
            inputs=inputs,
            outputs=outputs,
            cache_config=CACHE,
        )
        arn = self.function().upsert()["FunctionArn"]
        again = LambdaStep(
            name="Again",
            lambda_func=Lambda(function_arn=arn, session=self.session),
            inputs={"number": first.properties.Outputs["doubled"], "size": self.size},
            outputs=outputs,
        )
        ask = CallbackStep(
            name="Ask",
            sqs_queue_url=self.queue,
            inputs={
                "number": again.properties.Outputs["doubled"],
                "run": ExecutionVariables.PIPELINE_EXECUTION_ID,
            },
            outputs=[
                CallbackOutput(output_name="answer", output_type=CallbackOutputTypeEnum.String)
            ],
        )
        place = f"s3://{self.session.default_bucket()}"
        read = JsonGet(
            s3_uri=Join(on="/", values=[place, "told.json"]), json_path="told[1].is", step=ask
        )
        checks = [
            ConditionStep(name=name, conditions=[condition], depends_on=[ask])
            for name, condition in self.conditions(first, again, ask, read)
        ]
        told = Join(on=" ", values=["it is", ask.properties.Outputs["answer"], self.wanted])
        enough = ConditionStep(
            name="Enough",
            conditions=[ConditionEquals(left=ask.properties.Outputs["answer"], right="enough")],
            if_steps=[FailStep("Tell", error_message=told)],
        )
        return Pipeline(
            name="sdk-v2-steps",
            parameters=[self.number, self.size, self.ratio, self.wanted],
            steps=[first, again, ask, *checks, enough],
            sagemaker_session=self.session,
        )

    def conditions(
        self, first: LambdaStep, again: LambdaStep, ask: CallbackStep, read: JsonGet
    ) -> Iterator[tuple[str, Condition]]:
        """Yield one condition that holds, and one that does not, for each class."""
        doubled, twice = first.properties.Outputs["doubled"], again.properties.Outputs["doubled"]
        answer = ask.properties.Outputs["answer"]
        holds = ConditionEquals(left=doubled, right=42)
        fails = ConditionEquals(left=self.wanted, right=False)
        yield "Equals-True", holds
        yield "Equals-False", fails
        yield "GreaterThan-True", ConditionGreaterThan(left=twice, right=doubled)
        yield "GreaterThan-False", ConditionGreaterThan(left=doubled, right=42)
        yield "AtLeast-True", ConditionGreaterThanOrEqualTo(left=doubled, right=42)
        yield "AtLeast-False", ConditionGreaterThanOrEqualTo(left=self.ratio, right=0.75)
        yield "LessThan-True", ConditionLessThan(left=self.ratio, right=self.number)
        yield "LessThan-False", ConditionLessThan(left=read, right=7)
        yield "AtMost-True", ConditionLessThanOrEqualTo(left=read, right=7)
        yield "AtMost-False", ConditionLessThanOrEqualTo(left=twice, right=doubled)
        yield "In-True", ConditionIn(value=answer, in_values=["no", "enough"])
        yield "In-False", ConditionIn(value=self.size, in_values=["large", answer])
        yield "Not-True", ConditionNot(expression=fails)
        yield "Not-False", ConditionNot(expression=ConditionOr(conditions=[fails, holds]))
        yield "Or-True", ConditionOr(conditions=[fails, holds])
        yield "Or-False", ConditionOr(conditions=[fails, ConditionNot(expression=holds)])

    def answers(self, failure: str | None = None) -> threading.Thread:
        """Answer the next callback; return the thread that does."""

        def answer() -> None:
            found: list[Any] = []
            while not found:
                received = self.sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=5)
                found = received.get("Messages", [])
            (message,) = found
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            body = json.loads(message["Body"])
            self.messages.append(body["arguments"])
            if failure is None:
                self.sagemaker.send_pipeline_execution_step_success(
                    CallbackToken=body["token"],
                    OutputParameters=[{"Name": "answer", "Value": "enough"}],
                )
            else:
                self.sagemaker.send_pipeline_execution_step_failure(
                    CallbackToken=body["token"], FailureReason=failure
                )

        thread = threading.Thread(target=answer)
        thread.start()
        return thread

    def steps(self, execution: Any) -> Steps:
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=execution.arn
        )
        return {each["StepName"]: each for page in pages for each in page["PipelineExecutionSteps"]}

    def ended(self, execution: Any) -> Steps:
        """Wait for an execution's end; return its steps."""
        try:
            execution.wait(delay=1, max_attempts=200)
        except Exception as error:  # noqa: BLE001 - botocore's WaiterError: it failed
            print(error)
        return self.steps(execution)


def brief(steps: Steps) -> dict[str, str]:
    return {
        name: each.get("Metadata", {}).get("Condition", {}).get("Outcome")
        or each.get("FailureReason", each["StepStatus"])
        for name, each in steps.items()
    }


def main(role: str) -> None:
    program = Program(role)
    session = program.session
    told = json.dumps({"told": [0, {"is": 7}]})
    session.upload_string_as_file_body(told, session.default_bucket(), "told.json")
    pipeline = program.pipeline()
    pipeline.upsert(role_arn=role, parallelism_config=ParallelismConfiguration(2))
    answering = program.answers()
    good = pipeline.start(
        execution_display_name="good", parallelism_config=ParallelismConfiguration(3)
    )
    steps = program.ended(good)
    answering.join()
    refused = ""
    try:
        pipeline.start(parameters={"Size": "huge"})
    except Exception as error:  # noqa: BLE001 - botocore's ClientError
        refused = str(error)
    answering = program.answers("nobody knows")
    bad = program.ended(pipeline.start(parameters={"Wanted": False}))
    answering.join()
    selected = pipeline.start(
        selective_execution_config=SelectiveExecutionConfig(
            selected_steps=["Again"], source_pipeline_execution_arn=good.arn
        )
    )
    chosen = program.ended(selected)
    facts = {
        "good": brief(steps),
        "outputs": steps["Again"]["Metadata"]["Lambda"]["OutputParameters"],
        "parallelism": good.describe()["ParallelismConfiguration"],
        "asked": program.messages,
        "run": good.arn.rpartition("/")[2],
        "refused": refused,
        "bad": brief(bad),
        "kept": [name for name, each in bad.items() if each.get("CacheHitResult")],
        "chosen": {name: "SelectiveExecutionResult" in each for name, each in chosen.items()},
        "parameters": {
            each["Name"]: each["Value"] for each in good.list_parameters()["PipelineParameters"]
        },
    }
    pipeline.delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
