"""A server inside a program serves until the program's own last step, which stops it."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import atexit, sys
import boto3
from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine

local = LocalSageMaker(home=sys.argv[1], engine=FakeEngine(lambda container: 0)).start()
s3 = boto3.client(
    "s3", endpoint_url=local.endpoint_url, region_name="us-east-1",
    aws_access_key_id="x", aws_secret_access_key="y",
)

def last():
    s3.create_bucket(Bucket="last-words")
    s3.put_object(Bucket="last-words", Key="k", Body=b"goodbye")
    print(s3.get_object(Bucket="last-words", Key="k")["Body"].read().decode())
    local.stop()

atexit.register(last)
"""


def test_s3_answers_while_the_interpreter_exits(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr, done.returncode) == ("goodbye\n", "", 0)
