"""Two copies of a model do not fit a container: AWS's toolkit starts them, `serve` does not."""

import time

from tests.docker.serving_container import MMS, ModelFolder, Serving, model

__all__ = ["model"]

WEIGHTS_MB = 300
CODE = (
    "import os\n"
    "def model_fn(d):\n"
    "    with open(d + '/weights.bin', 'rb') as file: return file.read()\n"
    "def predict_fn(data, model): return len(model) >> 20\n"
)
#: cgroup v2, then v1.
EVENTS = "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null"


def kills(serving: Serving) -> int:
    """Return how many processes the kernel has killed for want of memory."""
    lines = [line.split() for line in serving.shell(EVENTS).splitlines()]
    return sum(int(line[1]) for line in lines if line[:1] == ["oom_kill"])


def has_died(serving: Serving) -> bool:
    serving.container.reload()
    return serving.container.status == "exited"


@MMS
def test_as_many_copies_of_a_model_as_fit(model: ModelFolder) -> None:
    with (model.folder / "weights.bin").open("wb") as file:
        file.truncate(WEIGHTS_MB << 20)
    options = {
        "environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": None},
        "mem_limit": "750m",
        "memswap_limit": "750m",
    }
    ours = model.code(CODE).start(**options).until(200)
    assert ours.invoke().json == WEIGHTS_MB
    assert "1 worker(s) for each model" in ours.log
    assert kills(ours) == 0
    ours.container.kill()
    stock = model.stock(**options)
    ends = time.monotonic() + 120
    while not (has_died(stock) or kills(stock)):
        assert time.monotonic() < ends, stock.log
        time.sleep(0.1)
