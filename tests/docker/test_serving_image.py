"""The serving image, looked into: what it says of itself, what it holds, what it must not."""

import pytest

from tests.docker.serving_container import IMAGE, LABEL, ModelFolder, model

__all__ = ["model"]

#: Each prints a line where something is not as it should be.
LOOKS = """
for program in gcc cc make ld java tini nvidia-smi; do command -v $program; done
for program in bash python python3 pip pip3 serve; do
    command -v $program >/dev/null || echo no $program
done
for place in /opt/ml '/var/lib/apt/lists/*' /root/.cache /wheels /locks /run/secrets; do
    compgen -G "$place"
done
pip check | grep -v '^No broken requirements found.$'
python - <<'END'
import httptools, numpy, safetensors.torch, sagemaker_inference, torch, uvicorn, uvloop
import torch.export, torch.jit
END
"""


@pytest.fixture
def config(model: ModelFolder) -> dict:
    return model.client.images.get(IMAGE).attrs["Config"]


def test_it_starts_as_the_platform_starts_it(config: dict) -> None:
    assert config["Entrypoint"] == ["/usr/bin/env", "--"]
    assert config["Cmd"] == ["serve"]
    assert config.get("User", "") in ("", "root")
    assert not config.get("Healthcheck")
    assert not config.get("Volumes")


def test_it_holds_what_it_should_and_nothing_else(model: ModelFolder) -> None:
    found = model.client.containers.run(
        IMAGE, ["bash", "-c", LOOKS], remove=True, stderr=True, labels=[LABEL]
    )
    assert found.decode() == ""
