"""The one place that calls AWS's training toolkit (sagemaker-training 5.1.4 or newer).

It is imported inside functions: importing it takes 0.2 s (boto3) and creates /opt/ml/code.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.contract import neuron, variables

__all__ = [
    "Environment",
    "code_artifact_index",
    "download_and_extract",
    "read_environment",
    "start_intermediate_upload",
]

_INFO = 20  # logging.INFO
_GPU_DEVICES = ("nvidia[0-9]*", "dxg")  # dxg: the Windows Subsystem for Linux
_NEURON_DEVICES = ("neuron[0-9]*",)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the toolkit made of the job's files: its ``Environment``, as plain values."""

    program: str | None
    source: str | None
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    hyperparameters: Mapping[str, Any]
    framework_parameters: Mapping[str, Any]
    framework_module: str | None
    s3_output: str | None
    channels: tuple[str, ...]
    hosts: tuple[str, ...]
    distribution_hosts: tuple[str, ...]
    current_host: str
    master_host: str
    instance_type: str
    network_interface: str
    gpus: int
    neuron_cores: int
    log_level: int


def read_environment(resources: dict[str, Any], code: Path) -> Environment:
    """Build the toolkit's Environment, once, from the files of the job.

    ``resources`` is the completed resourceconfig.json. The toolkit also writes SAGEMAKER_JOB_NAME,
    SAGEMAKER_REGION and CURRENT_HOST into this process's environment, for scripts that read them.
    """
    from sagemaker_training import environment as toolkit

    _spare_forks(toolkit)
    found = toolkit.Environment(resource_config=resources)
    source = found.module_dir
    return Environment(
        program=str(found.user_entry_point or "") or None,
        source=source if source != str(code) else None,
        arguments=tuple(found.to_cmd_args()),
        variables=found.to_env_vars(),
        hyperparameters=found.hyperparameters,
        framework_parameters=found.additional_framework_parameters,
        framework_module=found.framework_module,
        s3_output=found.sagemaker_s3_output(),
        channels=tuple(sorted(found.channel_input_dirs)),
        hosts=tuple(found.hosts),
        distribution_hosts=tuple(found.distribution_hosts),
        current_host=found.current_host,
        master_host=found.master_hostname,
        instance_type=found.current_instance_type,
        network_interface=found.network_interface_name,
        gpus=found.num_gpus,
        neuron_cores=found.num_neurons,
        log_level=found.log_level if isinstance(found.log_level, int) else _INFO,
    )


def _spare_forks(toolkit: Any) -> None:
    """Let the toolkit ask nvidia-smi and neuron-ls only where there is a device to ask about.

    Its answers are the same; a container without such devices starts no process to learn so.
    """
    toolkit.num_gpus = _only_with(_GPU_DEVICES, toolkit.num_gpus)
    devices = _devices(_NEURON_DEVICES)
    toolkit.num_neurons = (
        _counted_or_known(toolkit.num_neurons, len(devices))
        if devices
        else _neurons_without_device(toolkit.num_neurons)
    )
    toolkit.validate_smddprun = lambda: shutil.which("smddprun") is not None
    toolkit.validate_smddpmprun = lambda: shutil.which("smddpmprun") is not None


def _only_with(devices: tuple[str, ...], count: Callable[[], int]) -> Callable[[], int]:
    return count if _any_device(devices) else lambda: 0


def _neurons_without_device(count: Callable[[str], int]) -> Callable[[str], int]:
    # the toolkit knows one type by its name alone
    return lambda instance_type: count(instance_type) if "trn2.48xlarge" in instance_type else 0


def _counted_or_known(count: Callable[[str], int], devices: int) -> Callable[[str], int]:
    """Return what counts cores: neuron-ls, which an image may lack, else the type's own number."""
    return lambda instance_type: (
        count(instance_type) or devices * neuron.cores_per_device(instance_type)
    )


def _any_device(patterns: tuple[str, ...]) -> bool:
    return bool(_devices(patterns))


def _devices(patterns: tuple[str, ...], folder: Path = Path("/dev")) -> list[Path]:
    return [found for pattern in patterns for found in folder.glob(pattern)]


def download_and_extract(uri: str, folder: Path) -> None:
    """Fetch source code (s3:// tar.gz, local tar.gz, folder or file) into an empty folder.

    Members of an archive cannot leave the folder. Honours S3_ENDPOINT_URL and
    AWS_ENDPOINT_URL_S3. Raises what boto3, tarfile or the file system raise.
    """
    from sagemaker_training import files

    files.download_and_extract(uri=uri, path=str(folder))


def code_artifact_index(env: Mapping[str, str]) -> str | None:
    """Return the index URL, with its token, of CA_REPOSITORY_ARN; None where that is not set."""
    if not env.get(variables.CA_REPOSITORY_ARN.name):
        return None
    from sagemaker_training import modules

    index: str = modules._get_codeartifact_index()
    return index


def start_intermediate_upload(s3_output: str | None, env: Mapping[str, str]) -> Any:
    """Start the toolkit's upload of /opt/ml/output/intermediate where the job asks for it.

    Returns a process to join after the success or failure file is written, or None.
    """
    if not s3_output:
        return None
    from sagemaker_training import intermediate_output

    region = env.get(variables.AWS_REGION.name) or env.get(variables.SAGEMAKER_REGION.name)
    endpoint = env.get(variables.S3_ENDPOINT_URL.name)
    return intermediate_output.start_sync(s3_output, region, endpoint_url=endpoint)
