"""Pipelines: how long a step waits to be scheduled, and Describe among many executions.

Jobs run in the fake engine and end at once, so that what is measured is what lies between them.
"""

import json
import secrets
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3

from benchmarks.describe_and_list import signed
from benchmarks.load import CONNECTIONS, press
from benchmarks.served import ACCOUNT, REGION, serving
from benchmarks.table import Row
from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine

__all__ = ["rows"]

_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ends:1"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/bench"
_STEPS, _MOST_MS = 200, 20.0
_EXECUTIONS, _MOST_P99_MS, _PRESSED_S = 1_000, 20.0, 5.0


def rows() -> list[Row]:
    """Measure a long pipeline, and Describe among many executions that wait."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with LocalSageMaker(home=home / "a", engine=FakeEngine(lambda _: 0, [_IMAGE])) as local:
            scheduled = _scheduled(_client(local.endpoint_url))
        with serving(_waiting, str(home / "b")) as port:
            described = _described(port)
    return [scheduled, described]


def _client(url: str, service: str = "sagemaker") -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )


def _scheduled(sagemaker: Any) -> Row:
    """A pipeline in which each step waits for the one before."""
    arn = _started(sagemaker, [_training(number) for number in range(_STEPS)])
    while _status(sagemaker, arn) == "Executing":
        time.sleep(0.05)
    steps = [
        step
        for page in sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        for step in page["PipelineExecutionSteps"]
    ]
    jobs = [
        sagemaker.describe_training_job(
            TrainingJobName=step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
        )
        for step in steps
    ]
    pauses_ms = [
        1000 * (after["CreationTime"] - before["TrainingEndTime"]).total_seconds()
        for before, after in pairwise(jobs)
    ]
    median = statistics.median(pauses_ms)
    return Row(
        what=f"{_STEPS} steps in a line: from a job's end to the next one's creation",
        ours=f"{median:.1f} ms, p99 {statistics.quantiles(pauses_ms, n=100)[98]:.1f} ms",
        against="-",
        ratio="-",
        goal=f"{_MOST_MS:.0f} ms",
        met=median <= _MOST_MS,
    )


def _described(port: int) -> Row:
    """Describe of executions of which all wait for a callback."""
    sagemaker = _client(f"http://127.0.0.1:{port}")
    arns: list[str] = []
    while len(arns) < _EXECUTIONS:
        time.sleep(0.5)
        if not sagemaker.list_pipelines()["PipelineSummaries"]:
            continue
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName="bench", PaginationConfig={"PageSize": 100}
        )
        arns = [e["PipelineExecutionArn"] for p in pages for e in p["PipelineExecutionSummaries"]]
    requests = [
        signed(port, "DescribePipelineExecution", {"PipelineExecutionArn": arn}) for arn in arns
    ]
    load = press(port, requests, lasting_s=_PRESSED_S)
    p99 = load.percentile_ms(99)
    return Row(
        what=f"DescribePipelineExecution, {_EXECUTIONS} running, {CONNECTIONS} connections",
        ours=f"{load.per_s:.0f}/s, p99 {p99:.1f} ms",
        against="-",
        ratio="-",
        goal=f"p99 under {_MOST_P99_MS:.0f} ms",
        met=p99 < _MOST_P99_MS,
    )


def _waiting(port: int, home: str) -> None:
    """Serve with executions that wait."""
    with LocalSageMaker(home=Path(home), port=port, engine=FakeEngine(None)) as local:
        queue = _client(local.endpoint_url, "sqs").create_queue(QueueName="q")["QueueUrl"]
        step = {"Name": "wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
        sagemaker = _client(local.endpoint_url)
        _started(sagemaker, [step])
        for _ in range(_EXECUTIONS - 1):
            _start(sagemaker)
        while True:
            time.sleep(3600)


def _started(sagemaker: Any, steps: list[dict[str, Any]]) -> str:
    definition = {"Version": "2020-12-01", "Steps": steps}
    sagemaker.create_pipeline(
        PipelineName="bench",
        PipelineDefinition=json.dumps(definition),
        RoleArn=_ROLE,
        ClientRequestToken=secrets.token_hex(16),
    )
    return _start(sagemaker)


def _start(sagemaker: Any) -> str:
    arn: str = sagemaker.start_pipeline_execution(
        PipelineName="bench", ClientRequestToken=secrets.token_hex(16)
    )["PipelineExecutionArn"]
    return arn


def _status(sagemaker: Any, arn: str) -> str:
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return str(found["PipelineExecutionStatus"])


def _training(number: int) -> dict[str, Any]:
    return {
        "Name": f"s{number}",
        "Type": "Training",
        "DependsOn": [f"s{number - 1}"] if number else [],
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": _IMAGE, "TrainingInputMode": "File"},
            "RoleArn": _ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }
