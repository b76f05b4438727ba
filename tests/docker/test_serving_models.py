"""What can be served, and where: model files, the toolkit, packages, no network, other ports."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.docker.serving_container import (
    IMAGE,
    NATIVE,
    ModelFolder,
    engine_with_image,
    model,
)
from tests.docker.test_launcher_requirements import wheel

__all__ = ["model"]

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
#: One container makes what the tests serve: most of its time goes into importing torch.
MAKE = """
import json, pathlib, torch
import safetensors.torch
torch.manual_seed(0)
net = torch.nn.Linear(3, 2).eval()
json.dump(net(torch.ones(4, 3)).tolist(), open('/made/expected.json', 'w'))
torch.jit.script(net).save('/made/model.pt')
rows = {0: torch.export.Dim('n')}
made = torch.export.export(net, (torch.ones(2, 3),), dynamic_shapes=(rows,))
torch.export.save(made, '/made/model.pt2')
safetensors.torch.save_file(net.state_dict(), '/made/weights.safetensors')
torch.save(net.state_dict(), '/made/weights.pt')
class Bomb:
    def __reduce__(self): return pathlib.Path.touch, (pathlib.Path('/tmp/bomb'),)
torch.save(Bomb(), '/made/bomb.pt')
"""
#: So that there is something to learn of the digits, they stand in the first pixels.
RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 10, 40)
PIXELS = RANDOM.integers(0, 17, (40, 64))
PIXELS[:, :10] = np.eye(10, dtype=int)[LABELS] * 16


def in_image(folder: Path, *words: str, volumes: tuple[str, ...] = ()) -> None:
    """Run a program of the image, which leaves files in ``folder``, its /made."""
    engine_with_image().close()
    mounted = [f"--volume={each}" for each in (f"{folder}:/made", *volumes)]
    command = ["docker", "run", "--rm", "--workdir=/tmp", *mounted, IMAGE, "python", *words]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of MAKE."""
    folder = tmp_path_factory.mktemp("made")
    in_image(folder, "-c", MAKE)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the digits example trains."""
    folder = tmp_path_factory.mktemp("trained")
    csv = "\n".join(",".join(map(str, [d, *p])) for d, p in zip(LABELS, PIXELS, strict=True))
    (folder / "data").mkdir()
    (folder / "data" / "all.csv").write_text(csv)
    data = ("--train", "/made/data", "--test", "/made/data")
    words = ("/code/train.py", "--model-dir", "/made", "--epochs", "60", *data)
    in_image(folder, *words, volumes=(f"{DIGITS}:/code:ro",))
    return folder


@pytest.mark.parametrize("file", ["model.pt", "model.pt2"])
def test_a_model_file_is_served_without_code(model: ModelFolder, made: Path, file: str) -> None:
    shutil.copy(made / file, model.folder)
    serving = model.serve()
    expected = json.loads((made / "expected.json").read_text())
    for rows in (
        b"[[1.0, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]",
        b"[" + b"[1,1,1]," * 3 + b"[1,1,1]]",
    ):
        assert np.allclose(serving.invoke(rows).json, expected)
    csv = serving.invoke(b"1,1,1\n1,1,1\n", content_type="text/csv", accept="text/csv")
    assert len(csv.body.splitlines()) == 2
    unfit = serving.invoke(b"[[1, 1]]")
    assert (unfit.status, unfit.json["error"]) == (
        400,
        "the model does not take an input of shape [1, 2] and type int64",
    )
    assert np.allclose(serving.invoke(b'{"input": [[1.0, 1, 1]]}').json, expected[:1])
    unknown = serving.invoke(b'{"inputs": [[1, 2, 3]]}')
    assert (unknown.status, unknown.json["error"]) == (
        400,
        "the model takes the inputs input: inputs is unknown; input is missing",
    )


@NATIVE
def test_a_type_error_of_the_network_itself_is_no_fault_of_the_client(model: ModelFolder) -> None:
    serving = model.serve("""
import torch
class Net(torch.nn.Module):
    def forward(self, x, scale=None):
        return len(7) if x.sum() < 0 else x
def model_fn(d): return Net()
""")
    assert serving.invoke(b'{"x": [1]}').json == [1]
    assert serving.invoke(b'{"x": [-1]}').status == 500
    wrong = serving.invoke(b'{"y": [1], "scale": 2}')
    assert wrong.status == 400
    assert "inputs x, scale: y is unknown; x is missing" in wrong.json["error"]


@pytest.mark.parametrize("file", ["weights.safetensors", "weights.pt"])
def test_weights_are_read_by_a_few_lines_of_code(model: ModelFolder, made: Path, file: str) -> None:
    shutil.copy(made / file, model.folder)
    serving = model.serve(f"""
import torch
from sagedock.runtime.serving import load_weights
def model_fn(d):
    net = torch.nn.Linear(3, 2)
    net.load_state_dict(load_weights(d + "/{file}"))
    return net.eval()
""")
    expected = json.loads((made / "expected.json").read_text())
    assert np.allclose(serving.invoke(b"[[1, 1, 1]]").json, expected[:1])


def test_a_pickle_in_the_place_of_weights_is_not_run(model: ModelFolder, made: Path) -> None:
    shutil.copy(made / "bomb.pt", model.folder / "model.pt")
    serving = model.code(
        "from sagedock.runtime.serving import load_weights\n"
        "def model_fn(d):\n"
        "    try: load_weights(d + '/model.pt')\n"
        "    except Exception as error: return type(error).__name__\n"
        "def predict_fn(data, model): return model\n"
    ).serve()
    assert serving.invoke().json == "UnpicklingError"
    assert serving.shell("ls /tmp/bomb").startswith("ls: cannot access")


def test_the_digits_example_serves_what_it_trains(model: ModelFolder, trained: Path) -> None:
    shutil.copytree(trained, model.folder, dirs_exist_ok=True)
    serving = model.code((DIGITS / "inference.py").read_text()).serve()
    rows = "\n".join(",".join(map(str, p)) for p in PIXELS).encode()
    found = serving.invoke(rows, content_type="text/csv", accept="application/json").json
    assert np.mean(np.array(found) == LABELS) > 0.9
    short = serving.invoke(b"[1, 2]")
    assert (short.status, short.json["error"]) == (
        400,
        "send rows of 64 pixels, 0 to 16, not [1, 2]",
    )
    ragged = serving.invoke(b"[[1], [1, 2]]")
    assert (ragged.status, ragged.json["error"]) == (
        400,
        "send rows of 64 pixels, 0 to 16, all as long",
    )


def test_the_defaults_are_a_handler_of_awss_toolkit(model: ModelFolder) -> None:
    serving = model.serve(ECHO)
    script = (
        "from sagemaker_inference.default_inference_handler import DefaultInferenceHandler as D\n"
        "from sagedock.runtime.serving.worker.defaults import default_handler\n"
        "print(isinstance(default_handler(), D))"
    )
    assert serving.shell(f'python -c "{script}"') == "True\n"


def test_errors_of_awss_toolkit_keep_their_status(model: ModelFolder) -> None:
    serving = model.serve("""
from sagemaker_inference import decoder, errors
def model_fn(d): return 1
def input_fn(data, content_type): return decoder.decode(data, content_type)
def predict_fn(data, model): raise errors.GenericInferenceToolkitError(429, "slower, please")
""")
    found = serving.invoke()
    assert (found.status, found.json) == (429, {"error": "slower, please"})
    assert serving.invoke(content_type="image/png").status == 415


def test_onnx_without_its_runtime_says_so(model: ModelFolder) -> None:
    (model.folder / "model.onnx").write_bytes(b"")
    serving = model.start()
    assert serving.container.wait(timeout=120)["StatusCode"] == 1
    assert (
        "this image has no onnxruntime: name onnxruntime in code/req"
        in serving.log.splitlines()[-1]
    )


# --- where ---------------------------------------------------------------------------------------

ASK = (
    "python -c 'import urllib.request as u; "
    'print(u.urlopen(u.Request("http://127.0.0.1:8080/{path}", {body})).read().decode())\''
)


def test_without_a_network_and_a_writable_disk(model: ModelFolder) -> None:
    """requirements.txt from the model's own wheels, too."""
    wheel(model.folder / "code" / "wheelhouse", "probe", "from needed import VALUE", "needed")
    wheel(model.folder / "code" / "wheelhouse", "needed", "VALUE = 'from the wheelhouse'")
    model.code("probe==1\n", "requirements.txt")
    serving = model.code(
        "import probe\ndef model_fn(d): return probe.VALUE\n"
        "def transform_fn(model, data, content_type, accept): return model\n"
    ).start(network_mode="none", read_only=True, tmpfs={"/tmp": ""})
    for _ in range(600):
        asked = serving.container.exec_run(["bash", "-c", ASK.format(path="ping", body="None")])
        serving.container.reload()
        assert serving.container.status == "running", serving.log
        if asked.exit_code == 0:
            break
    ask = ASK.format(path="invocations", body='b"x"')
    assert serving.shell(ask) == "from the wheelhouse\n", serving.log


def test_packages_that_cannot_be_had_end_the_container_with_the_remedy(model: ModelFolder) -> None:
    serving = (
        model.code("absent-probe==1\n", "requirements.txt").code(ECHO).start(network_mode="none")
    )
    assert serving.container.wait(timeout=120)["StatusCode"] == 1
    last = serving.log.splitlines()[-1]
    assert "No matching distribution found for absent-probe==1" in last
    assert "put the wheels of all that it asks for" in last


def test_another_port_on_request_and_that_one_alone(model: ModelFolder) -> None:
    serving = model.code(ECHO).start(port=9090, environment={"SAGEMAKER_BIND_TO_PORT": "9090"})
    assert serving.until(200).invoke().status == 200
    listening = serving.shell("cat /proc/net/tcp /proc/net/tcp6")
    assert f":{9090:04X} " in listening
    assert f":{8080:04X} " not in listening


def test_batch_transform_keeps_lines(model: ModelFolder) -> None:
    environment = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD"}
    environment |= {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4"}
    serving = model.serve(ECHO, environment=environment)
    csv = "".join(f"{n},{n + 1}\n" for n in range(100)).encode()
    found = serving.invoke(csv, content_type="text/csv", accept="text/csv")
    assert len(found.body.splitlines()) == 100
    lines = serving.invoke(
        b"[1]\n" * 100, content_type="application/jsonlines", accept="application/jsonlines"
    )
    assert lines.body == b"[1]\n" * 100
    parameters = serving.ask("GET", "/execution-parameters").json
    assert parameters == {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 100,
    }
