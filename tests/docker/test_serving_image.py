"""The serving image, looked into: what it says of itself, what it holds, what it must not."""

import pytest

from tests.docker.serving_container import IMAGE, LABEL, NATIVE, ModelFolder, model

__all__ = ["model"]

#: Each prints a line where something is not as it should be.
LOOKS = """
for program in gcc cc make ld javac tini nvidia-smi; do command -v $program; done
for program in bash java multi-model-server python python3 pip pip3 serve; do
    command -v $program >/dev/null || echo no $program
done
for place in /opt/ml '/var/lib/apt/lists/*' /root/.cache /wheels /locks /run/secrets; do
    compgen -G "$place"
done
pip check | grep -v '^No broken requirements found.$'
python -W ignore::UserWarning - <<'END'
import httptools, mms, numpy, safetensors.torch, sagemaker_inference, torch, uvicorn, uvloop
import sagemaker_inference.model_server
import torch.export, torch.jit
END
"""


@pytest.fixture
def config(model: ModelFolder) -> dict:
    return model.client.images.get(IMAGE).attrs["Config"]


@NATIVE
def test_it_starts_as_the_platform_starts_it(config: dict) -> None:
    assert config["Entrypoint"] == ["/usr/bin/env", "--"]
    assert config["Cmd"] == ["serve"]
    assert config.get("User", "") in ("", "root")
    assert not config.get("Healthcheck")
    assert not config.get("Volumes")


@NATIVE
def test_it_holds_what_it_should_and_nothing_else(model: ModelFolder) -> None:
    found = model.client.containers.run(
        IMAGE, ["bash", "-c", LOOKS], remove=True, stderr=True, labels=[LABEL]
    )
    assert found.decode() == ""


@NATIVE
def test_it_holds_only_as_much_of_java_as_it_needs(model: ModelFolder) -> None:
    megabytes = model.client.containers.run(
        IMAGE, ["bash", "-c", "du --summarize --block-size=1M /opt/java | cut -f1"], remove=True
    )
    assert int(megabytes) < 80
