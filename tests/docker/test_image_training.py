"""The training image, built and looked into: what it holds, what it must not, how it starts."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sagedock.engine import connect
from sagedock.errors import BuildFailed, EngineUnavailable
from sagedock.images import Image, build_image, find_matrix, list_images, load_images

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
NO_CONFIG = "/opt/ml/input/config/hyperparameters.json"

STALE_BYTECODE = """
import importlib.util, pathlib, sys
sources = [p for p in pathlib.Path(sys.argv[1]).rglob("*.py") if "py312_" not in p.name]
def good(path):
    cached = pathlib.Path(importlib.util.cache_from_source(str(path)))
    if not cached.exists():
        return False
    head, stat = cached.read_bytes()[:16], path.stat()
    number = lambda piece: int.from_bytes(piece, "little")
    return number(head[8:12]) == int(stat.st_mtime) and number(head[12:16]) == stat.st_size
bad = [str(p) for p in sources if not good(p)]
print(len(sources), len(bad), bad[:5])
"""

DISTRIBUTED = """
import sys
import torch, torch.distributed as dist
dist.init_process_group("gloo")
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
model(torch.full((2, 4), float(dist.get_rank() + 1))).sum().backward()
# In one write: two processes share the output.
sys.stdout.write(f"gradient={model.module.weight.grad[0, 0].item()} ")
sys.stdout.flush()
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def image():
    """Build the CPU image, from the cache where nothing changed, and return its entry."""
    try:
        connect()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    found = next(i for i in load_images(find_matrix(ROOT)) if i.name == "training-cpu")
    build_image(found, root=ROOT, progress=print)
    return found


@pytest.fixture(scope="module")
def run(image):
    """Run the image with docker's own client; options come before the image's name."""

    def call(*command, options=(), check=True):
        done = subprocess.run(
            ["docker", "run", "--rm", *options, image.reference, *command],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return call


@pytest.fixture(scope="module")
def config(image):
    done = subprocess.run(
        ["docker", "image", "inspect", image.reference], capture_output=True, check=True
    )
    return json.loads(done.stdout)[0]["Config"]


@pytest.fixture(scope="module")
def shell(image):
    """Run words of bash in one container of the image, which does nothing else."""
    start = ["docker", "run", "--rm", "--detach", image.reference, "sleep", "infinity"]
    made = subprocess.run(start, capture_output=True, text=True, check=True).stdout.strip()

    def call(words):
        command = ["docker", "exec", made, "bash", "-c", words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield call
    subprocess.run(["docker", "rm", "--force", made], capture_output=True, check=True)


# --- what it holds -------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["bash", "python", "python3", "pip", "pip3", "train"])
def test_what_sagemakers_clients_call_is_on_the_path(shell, program):
    assert shell(f"command -v {program}").startswith("/")


def test_python_and_pip_are_those_of_the_packages(run, shell):
    names = "python python3 pip pip3"
    assert shell(f"for p in {names}; do command -v $p; done").split() == [
        f"/opt/venv/bin/{name}" for name in names.split()
    ]
    assert "No broken requirements" in run("pip", "check").stdout


def test_torch_and_the_toolkit_are_those_of_the_locks(run):
    script = "import importlib.metadata as m; print(m.version('sagemaker-training'))"
    toolkit, torch = run(
        "python", "-c", f"{script}; import torch; print(torch.__version__)"
    ).stdout.split()
    locks = ROOT / "containers" / "training"
    assert f"sagemaker-training=={toolkit} " in (locks / "requirements.lock").read_text()
    assert f"=={torch.partition('+')[0]}" in (locks / "torch-cpu.lock").read_text()


@pytest.mark.parametrize("folder", ["/opt/venv/lib", "/opt/sagedock/lib", "/usr/lib/python3.11"])
def test_bytecode_is_there_and_fresh(run, folder):
    if "No such file" in run("ls", folder, check=False).stderr:
        pytest.skip("a public base keeps Python elsewhere")
    sources, bad, names = run("python", "-c", STALE_BYTECODE, folder).stdout.split(maxsplit=2)
    allowed = int(sources) // 50 if folder.startswith("/usr") else 0  # Debian leaves some out
    assert int(sources) > 10
    assert int(bad) <= allowed, names


def test_torch_trains_on_several_processes(run, tmp_path):
    (tmp_path / "ddp.py").write_text(DISTRIBUTED)
    done = run(
        *("torchrun", "--standalone", "--nproc-per-node", "2", "/code/ddp.py"),
        options=["--volume", f"{tmp_path}:/code:ro", "--env", "OMP_NUM_THREADS=1"],
    )
    assert done.stdout.split() == ["gradient=3.0"] * 2  # mean of 2 x 1 and 2 x 2


def test_the_parts_of_torch_that_jobs_import_survive_the_trimming(run):
    modules = "torch.utils.data torch.jit torch.onnx torch.fx torch.testing torch.nn.functional"
    modules += " torch.distributed.fsdp torch.export torch._dynamo numpy.testing scipy.stats"
    run("python", "-c", "import " + ", ".join(modules.split()))


# --- what it must not hold -----------------------------------------------------------------------


@pytest.mark.parametrize("program", ["gcc", "cc", "c++", "make", "ld", "tini", "nvidia-smi"])
def test_no_compiler_no_init_no_driver(run, program):
    assert run("bash", "-c", f"command -v {program}", check=False).returncode == 1


def test_what_tells_a_job_its_hosts_name_is_there_compiled(run, tmp_path):
    """NCCL and MPI ask gethostname, and every host is called `aws`; no compiler is at hand."""
    (tmp_path / "resourceconfig.json").write_text('{"current_host": "algo-2"}')
    words = (
        "from sagedock.runtime.cluster import with_job_name; import os, subprocess, sys\n"
        "ask = [sys.executable, '-c', 'import socket; print(socket.gethostname())']\n"
        "subprocess.run(ask); subprocess.run(ask, env={**os.environ, **with_job_name({})})"
    )
    options = ["--hostname", "aws", "--volume", f"{tmp_path}:/opt/ml/input/config:ro"]
    assert run("python", "-uc", words, options=options).stdout.split() == ["aws", "algo-2"]


@pytest.mark.parametrize(
    "path",
    [
        "/opt/ml",
        "/var/lib/apt/lists/*",
        "/var/cache/apt/*",
        "/root/.cache",
        "/wheels",
        "/locks",
        "/run/secrets",
        "/run/apt-install.sh",
        "/etc/apt/sources.list.d/build.list",
    ],
)
def test_nothing_is_left_at(shell, path):
    assert shell(f"compgen -G '{path}' || true") == ""


def test_nothing_that_only_a_linker_or_a_test_reads(shell):
    site = shell("python -c 'import torch; print(torch.__path__[0])'").strip()
    assert shell(f"ls -d {site}/test {site}/include {site}/bin/*Test 2>/dev/null || true") == ""
    assert shell(f"find {site} -name '*.a'") == ""


def test_no_wheel_but_those_that_make_environments(shell):
    wheels = shell("find / -xdev -name '*.whl' -not -path '/proc/*'").splitlines()
    assert [w for w in wheels if "/python-wheels/" not in w and "/ensurepip/" not in w] == []


def places_of_packages():
    """The indexes, folders, certificates and mirrors that this machine fetches packages from."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.read_string("[all]\n" + listed)
    values = {v.strip("'") for k, v in parser["all"].items() if re.search("url|link|host|cert", k)}
    mirror = subprocess.run(
        [ROOT / "containers" / "base" / "mirror.sh", "bookworm"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    words = {word for value in values for word in value.split()} | set(mirror)
    proxies = {v for k, v in os.environ.items() if k.lower() in ("http_proxy", "https_proxy")}
    return sorted(words | proxies | {"/wheels", str(ROOT)})


def test_history_and_configuration_name_no_place_of_packages(image, config):
    history = subprocess.run(
        [
            "docker",
            "history",
            "--no-trunc",
            "--format",
            "{{.CreatedBy}} {{.Comment}}",
            image.reference,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "COPY" in history
    for place in places_of_packages():
        assert place not in history
        assert place not in json.dumps(config)


def test_no_file_names_a_place_of_packages(shell):
    for place in places_of_packages():
        if place.startswith("/etc/ssl/"):
            continue  # every Debian has a bundle at that path
        where = "/etc /opt /root /run /tmp /var"
        found = shell(f"grep -rlIF -- '{place}' {where} 2>/dev/null || true").splitlines()
        assert [f for f in found if "/dpkg/" not in f and not f.startswith("/etc/resolv")] == []
        host = urlsplit(place).hostname
        if host:
            assert host not in shell("cat /etc/apt/*.list /etc/pip.conf 2>/dev/null || true")


def test_this_machines_certificates_are_not_in_it(shell):
    variables = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    bundle = next((os.environ[name] for name in variables if os.environ.get(name)), None)
    pem = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
    debians = set(pem.findall(shell("cat /usr/share/ca-certificates/mozilla/*.crt")))
    ours = set(pem.findall(Path(bundle).read_text())) - debians if bundle else set()
    if not ours:
        pytest.skip("this machine trusts the public authorities only")
    held = pem.findall(
        shell("find /etc/ssl /usr/local /opt -name '*.[cp][re][tmr]*' -type f -exec cat {} +")
    )
    assert held
    assert not ours & set(held)


# --- how it starts -------------------------------------------------------------------------------


def test_the_entrypoint_is_in_exec_form_and_the_user_is_root(config):
    assert config["Entrypoint"] == ["/usr/bin/env", "--"]
    assert config["Cmd"] == ["train"]
    assert config.get("User", "") == ""
    assert not config.get("Volumes")
    assert not config.get("Healthcheck")


@pytest.mark.parametrize("command", [["train"], []])
def test_train_reaches_our_launcher(run, command):
    done = run(*command, check=False)
    assert done.returncode == 1
    assert f"{NO_CONFIG} is missing" in done.stdout + done.stderr


def test_the_command_is_process_one(run):
    assert run("cat", "/proc/1/comm").stdout == "cat\n"
    assert run("bash", "-c", "cat /proc/1/comm; true").stdout == "bash\n"


def test_a_processing_job_puts_its_own_entrypoint(run):
    done = run(
        "-c", "import sys; print(sys.argv[1:])", "a b", "$(id)", options=["--entrypoint", "python3"]
    )
    assert done.stdout == "['a b', '$(id)']\n"


def test_arguments_alone_replace_the_command(run):
    assert run("python3", "-c", "print('argument')").stdout == "argument\n"


def test_sdk_v3_starts_its_driver_by_bash(run, tmp_path):
    driver = tmp_path / "sm_train.sh"
    driver.write_text("#!/bin/bash\nset -e\necho driver $(command -v python3 pip3)\nexit 7\n")
    driver.chmod(0o644)
    target = "/opt/ml/input/data/sm_drivers"
    words = f"chmod +x {target}/sm_train.sh && {target}/sm_train.sh"
    done = run(
        *("-c", words),
        options=["--entrypoint", "/bin/bash", "--volume", f"{tmp_path}:{target}"],
        check=False,
    )
    assert done.returncode == 7
    assert done.stdout == "driver /opt/venv/bin/python3 /opt/venv/bin/pip3\n"


def test_the_toolkits_own_train_can_be_run_for_comparison(run):
    done = run("/opt/venv/bin/train", check=False)
    assert "sagemaker-training-toolkit" in done.stdout + done.stderr


def test_a_job_without_a_network_finds_everything(run):
    run("python", "-c", "import torch, sagemaker_training", options=["--network", "none"])


# --- how it is built and listed ------------------------------------------------------------------


def test_the_listing_tells_its_id_and_size(image):
    row = next(
        r
        for r in list_images(connect(), load_images(find_matrix(ROOT)))
        if r.name == "training-cpu"
    )
    assert re.fullmatch("sha256:[0-9a-f]{64}", row.image_id)
    assert row.names[0] == "sagedock-training:cpu"
    assert 500e6 < row.size < 1.2e9
    assert row.uri.endswith("/sagedock-training:cpu")


def test_labels_tell_what_it_is(config):
    assert config["Labels"]["sagedock.image"] == "training-cpu"
    assert config["Labels"]["sagedock.kind"] == "training"
    assert "org.opencontainers.image.title" in config["Labels"]


def test_labels_tell_its_versions(run, config):
    labels = config["Labels"]
    script = "import platform, torch; print(platform.python_version(), torch.__version__)"
    python, torch = run("python", "-c", script).stdout.split()
    assert labels["sagedock.python"] == python.rpartition(".")[0]
    assert labels["sagedock.torch"] == torch


def test_a_second_build_changes_nothing(image):
    said = []
    first = build_image(image, root=ROOT, progress=said.append)
    assert build_image(image, root=ROOT, progress=said.append) == first
    assert not any("gathering" in line for line in said)


def test_a_build_that_fails_tells_the_cause_and_where_the_rest_is(image, tmp_path):
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "Dockerfile").write_text(
        f"FROM {image.base} AS broken\nRUN echo the-cause >&2; exit 3\n"
    )
    broken = Image(
        name="broken",
        kind="training",
        device="cpu",
        dockerfile="Dockerfile",
        target="broken",
        repository="sagedock-broken",
        tag="v1",
        base="debian:12",
    )
    with pytest.raises(BuildFailed, match="the-cause") as caught:
        build_image(broken, root=tmp_path, progress=print)
    log = tmp_path / "build" / "logs" / "broken.log"
    assert str(log) in str(caught.value)
    assert "the-cause" in log.read_text()
