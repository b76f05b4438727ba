"""What the property tests drive: a local SageMaker with data, an image and jobs, over HTTP."""

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.amount import amount
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, ROLE, Local, plain_http

#: Every run tries the same requests. PROPERTY_EXAMPLES=20000 tries that many others, each time new
#: ones; what fails is printed with how to try it again.
_ASKED = int(os.environ.get("PROPERTY_EXAMPLES", "0"))

TARGETS = {
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "sagemaker": "SageMaker",
    "logs": "Logs_20140328",
}
GROUP = "/aws/sagemaker/TrainingJobs"
EXPERIMENT, TRIAL = "experiment", "trial"
ENDED, RUNNING, UNKNOWN = "ended-1", "running-1", "never-was"
TERMINAL = ("Completed", "Failed", "Stopped")


def examples(count: int) -> settings:
    """Return settings for ``count`` examples, the same ones in every run."""
    return settings(
        max_examples=_ASKED or amount(count, quick=max(5, count // 4)),
        derandomize=not _ASKED,
        print_blob=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=tuple(Phase) if _ASKED else (Phase.explicit, Phase.generate, Phase.shrink),
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body.get("__type", ""))

    @property
    def message(self) -> str:
        """The error's text; some errors spell it with a capital."""
        return str(self.body.get("message", self.body.get("Message", "")))


@dataclass(frozen=True, kw_only=True)
class World:
    """A running local SageMaker, and raw calls of it."""

    local: Local
    client: httpx.Client = field(default_factory=plain_http)

    def call(self, service: str, operation: str, request: Any) -> Answer:
        """Send a request as JSON text, with nothing checked before."""
        return self.send(service, operation, json.dumps(request).encode())

    def send(self, service: str, operation: str, body: bytes) -> Answer:
        """Send a body, whatever is in it."""
        credential = f"Credential=x/20260101/{REGION}/{service}/aws4_request"
        answer = self.client.post(
            self.local.server.endpoint_url,
            headers={
                "x-amz-target": f"{TARGETS[service]}.{operation}",
                "content-type": "application/x-amz-json-1.1",
                "authorization": f"AWS4-HMAC-SHA256 {credential}, Signature=0",
            },
            content=body,
        )
        return Answer(status=answer.status_code, body=answer.json() if answer.content else {})

    def ended(self, name: str) -> Mapping[str, Any]:
        """Wait until a job has ended, and return what Describe answers."""
        ends = time.monotonic() + 60
        while True:
            job = self.call("sagemaker", "DescribeTrainingJob", {"TrainingJobName": name}).body
            if job["TrainingJobStatus"] in TERMINAL:
                return dict(job)
            assert time.monotonic() < ends, f"{name} is still {job['SecondaryStatus']}"
            time.sleep(0.002)

    def await_quiet(self) -> None:
        """Wait until every job has ended and left nothing behind, but for the one that stays."""
        for thread in threading.enumerate():
            is_job = thread.name.startswith(("job ", "processing ", "tuning "))
            if is_job and thread.name != f"job {RUNNING}":
                thread.join(60)
        job = self.call("sagemaker", "DescribeTrainingJob", {"TrainingJobName": RUNNING}).body
        if job.get("TrainingJobStatus") == "Stopping":
            self.ended(RUNNING)

    def state(self) -> Any:
        """Return all that a refused request must leave alone: tables, folders, containers."""
        home = self.local.server.settings.home
        database = sqlite3.connect(home / "state.sqlite")
        try:
            tables = [
                database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
                for table in ("resources", "tags", "log_streams", "tuning_trials")
            ]
        finally:
            database.close()
        found = sorted(
            str(path)
            for top in ("jobs", "processing", "scratch")
            for path in (home / top).rglob("*")
        )
        kept = json.dumps([tables, found, sorted(self.local.engine.all)]).encode()
        return hashlib.sha256(kept).hexdigest()


def arn(name: str) -> str:
    """Return a training job's ARN."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"


def prepare(local: Local) -> World:
    """Put data into the bucket, run a job to its end, and leave another one running."""
    world = World(local=local)
    s3 = local.client("s3")
    for key, body in _OBJECTS.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    local.client("sagemaker").create_experiment(ExperimentName=EXPERIMENT)
    local.client("sagemaker").create_trial(TrialName=TRIAL, ExperimentName=EXPERIMENT)
    local.run(TrainingJobName=ENDED, Tags=[{"Key": "team", "Value": "a"}])
    local.client("sagemaker").create_training_job(**local.job(TrainingJobName=RUNNING))
    local.until(RUNNING, lambda job: job["SecondaryStatus"] == "Training")
    return world


_MANIFEST = [{"prefix": f"s3://{BUCKET}/data/"}, "a.csv", "deep/b.csv"]
_AUGMENTED = {"source-ref": f"s3://{BUCKET}/data/a.csv", "label": 1}
_OBJECTS = {
    "data/a.csv": b"1,2\n",
    "data/deep/b.csv": b"3,4\n",
    "manifests/some.manifest": json.dumps(_MANIFEST).encode(),
    "manifests/augmented.manifest": json.dumps(_AUGMENTED).encode() + b"\n",
}
_DATA = {
    "S3Prefix": [
        *(f"s3://{BUCKET}/data", f"s3://{BUCKET}/data/", f"s3://{BUCKET}/data/a.csv"),
        f"https://s3.{REGION}.amazonaws.com/{BUCKET}/data",
    ],
    "ManifestFile": [f"s3://{BUCKET}/manifests/some.manifest"],
    "AugmentedManifestFile": [f"s3://{BUCKET}/manifests/augmented.manifest"],
    "Converse": [f"s3://{BUCKET}/data"],
}


def _s3_source(kind: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"S3DataType": st.just(kind), "S3Uri": st.sampled_from(_DATA[kind])},
        optional={
            "S3DataDistributionType": st.sampled_from(["FullyReplicated", "ShardedByS3Key"]),
            "AttributeNames": st.just(["source-ref", "label"]),
            "InstanceGroupNames": st.just(["first"]),
        },
    )


_KINDS = st.sampled_from(list(_DATA))
_PREFIX = st.sampled_from(["out", "out/", "a/b", "", "x" * 200])

_PROPERTIES = st.sampled_from(
    [
        *(
            "TrainingJobName",
            "TrainingJobStatus",
            "HyperParameters.lr",
            "Metrics.loss",
            "Tags.team",
        ),
        *(
            "CreationTime",
            "ResourceConfig.InstanceCount",
            "EnableNetworkIsolation",
            "Nothing",
            "..",
        ),
    ]
)
_OPERATORS = st.sampled_from(
    [
        *("Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "Contains"),
        *("LessThanOrEqualTo", "Exists", "NotExists", "In"),
    ]
)
_FILTERS = st.lists(
    st.fixed_dictionaries(
        {"Name": _PROPERTIES},
        optional={
            "Operator": _OPERATORS,
            "Value": st.sampled_from(["1", "0.5", "a", "Completed", "2026-01-01T00:00:00", "true"]),
        },
    ),
    min_size=1,
    max_size=3,
)
_NESTED = st.fixed_dictionaries(
    {
        "NestedPropertyName": st.sampled_from(["InputDataConfig", "RoleArn"]),
        "Filters": st.just([{"Name": "InputDataConfig.ChannelName", "Operator": "Exists"}]),
    }
)


def _expressions(deeper: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
    """Return expressions, which the service's model allows to be without an end."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "Filters": _FILTERS,
        "NestedFilters": st.lists(_NESTED, min_size=1, max_size=2),
        "Operator": st.sampled_from(["And", "Or"]),
    }
    if deeper is not None:
        parts["SubExpressions"] = st.lists(deeper, min_size=1, max_size=2)
    return st.fixed_dictionaries({}, optional=parts)


#: What must exist, or is the local machine's to give, by the name of a shape.
OWN: Mapping[str, st.SearchStrategy[Any]] = {
    "AlgorithmImage": st.just(IMAGE),
    "RoleArn": st.just(ROLE),
    "S3DataSource": _KINDS.flatmap(_s3_source),
    "S3Uri": st.builds(lambda prefix: f"s3://{BUCKET}/{prefix}", _PREFIX),
    "ImageUri": st.just(IMAGE),
    "ProcessingLocalPath": st.sampled_from(
        [f"/opt/ml/processing/{path}" for path in ("a", "a/b", "é/ c", "../d")]
    ),
    "ProcessingInstanceCount": st.integers(1, 2),
    "TrainingInstanceCount": st.integers(1, 2),
    "InstanceGroupName": st.sampled_from(["first", "second", "a b", "é/.."]),
    "MetricRegex": st.sampled_from(["loss=([0-9.]+)", "a", "x" * 500, "(a)(b)"]),
    "ExperimentConfig": st.just({"ExperimentName": EXPERIMENT, "TrialName": TRIAL}),
    "SearchExpression": _expressions(_expressions(_expressions(None))),
    "ResourceArn": st.sampled_from([arn(ENDED), arn(RUNNING), arn(UNKNOWN)]),
    "LogGroupName": st.sampled_from([GROUP, "/aws/sagemaker/None"]),
    "LogGroupIdentifier": st.just(f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"),
}
#: The same for an operation on a job that is there, or was never there.
NAMES = {
    "ProcessingJobName": st.sampled_from(["processing-1", "processing-2", UNKNOWN]),
    "TrainingJobName": st.sampled_from([ENDED, RUNNING, UNKNOWN]),
}


def as_read(request: Any) -> Any:
    """Return ``request`` as the service reads it: half a surrogate pair is a question mark."""
    return json.loads(json.dumps(request, ensure_ascii=False).encode(errors="replace"))


def echoes(answered: Any, sent: Any) -> bool:
    """Say whether an answer has all that was sent; the service may fill in more."""
    match sent:
        case dict():
            return all(key in answered and echoes(answered[key], sent[key]) for key in sent)
        case list():
            return len(answered) == len(sent) and all(map(echoes, answered, sent))
        case _:
            return bool(answered == sent)
