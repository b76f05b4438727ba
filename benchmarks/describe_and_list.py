"""DescribeTrainingJob and ListTrainingJobs with 10,000 stored jobs, against moto's own server.

Both serve the same jobs from a process of their own, and are pressed in turns by one client with
the same signed requests: every job described in a random order, every page of each list.
"""

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.load import CONNECTIONS, Load, ask, press
from benchmarks.served import REGION, bare, job_name, moto, ours, serving
from benchmarks.table import Row, interleaved

JOBS = 10_000
ROUNDS = 5
ROUND_S = 2.0
GOAL = 5
GOAL_P99_MS = 20
PAGE = {"MaxResults": 100}
LISTS: Mapping[str, Mapping[str, Any]] = {
    "List, newest first": {},
    "List, oldest first": {"SortOrder": "Ascending"},
    "List by name": {"SortBy": "Name"},
    "List by status": {"SortBy": "Status"},
    "List, NameContains": {"NameContains": "99"},
    "List, StatusEquals": {"StatusEquals": "Failed"},
}


def rows() -> list[Row]:
    """Measure the client alone, then both servers."""
    numbers = random.Random(1).sample(range(JOBS), JOBS)
    with serving(bare) as port:
        alone = press(port, [_describe(port, number) for number in numbers], lasting_s=ROUND_S)
    found = [_client(alone)]
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(ours, str(Path(scratch) / "home"), JOBS) as our_port,
        serving(moto, JOBS) as their_port,
    ):
        ports = (our_port, their_port)
        described = [[_describe(port, number) for number in numbers] for port in ports]
        found.append(_compared("Describe", ports, described))
        for what, asked in LISTS.items():
            pages = [list(_pages(port, asked)) for port in ports]
            found.append(_compared(f"{what}, {len(pages[0])} pages", ports, pages))
    return found


def _compared(what: str, ports: tuple[int, int], requests: Sequence[Sequence[bytes]]) -> Row:
    loads: list[list[Load]] = [[], []]

    def round_of(which: int) -> float:
        load = press(ports[which], requests[which], lasting_s=ROUND_S)
        loads[which].append(load)
        return load.per_s

    mine, theirs, ratio = interleaved(ROUNDS, lambda: round_of(0), lambda: round_of(1))
    our_p99, their_p99 = (Load.all(each).percentile_ms(99) for each in loads)
    return Row(
        what=f"{what}, {CONNECTIONS} connections",
        ours=f"{mine:.0f}/s, p99 {our_p99:.1f} ms",
        against=f"moto: {theirs:.0f}/s, p99 {their_p99:.1f} ms",
        ratio=f"{ratio:.1f}x",
        goal=f"at least {GOAL}x, p99 under {GOAL_P99_MS} ms",
        met=ratio >= GOAL and our_p99 < GOAL_P99_MS,
    )


def _client(alone: Load) -> Row:
    return Row(
        what="the load client alone",
        ours=f"{alone.per_s:.0f}/s, p99 {alone.percentile_ms(99):.1f} ms",
        against="a server that answers two bytes",
        ratio="-",
        goal="-",
        met=None,
    )


def _pages(port: int, asked: Mapping[str, Any]) -> Iterator[bytes]:
    """Walk through a list once; yield the request of every page."""
    token: Mapping[str, Any] | None = {}
    while token is not None:
        request = signed(port, "ListTrainingJobs", {**PAGE, **asked, **token})
        yield request
        next_token = json.loads(ask(port, request)).get("NextToken")
        token = {"NextToken": next_token} if next_token else None


def _describe(port: int, number: int) -> bytes:
    return signed(port, "DescribeTrainingJob", {"TrainingJobName": job_name(number)})


def signed(port: int, operation: str, body: Mapping[str, Any]) -> bytes:
    """Return one request as bytes, signed as boto3 signs it."""
    data = json.dumps(body).encode()
    request = AWSRequest(
        "POST",
        f"http://127.0.0.1:{port}/",
        headers={
            "Host": f"127.0.0.1:{port}",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"SageMaker.{operation}",
            "Content-Length": str(len(data)),
        },
        data=data,
    )
    SigV4Auth(Credentials("x", "y"), "sagemaker", REGION).add_auth(request)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + data
