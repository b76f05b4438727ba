"""What Multi Model Server and its Java machine are told, as data."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import variables
from sagedock.runtime.serving.options import Options

__all__ = [
    "Places",
    "envelope_bytes",
    "heap_mb",
    "java_command",
    "java_variables",
    "log_configuration",
    "properties",
]

_HANDLER = "sagedock.runtime.serving.mms.handler:handle"
_MAIN = "com.amazonaws.ml.mms.ModelServer"
_BYTES_PER_MB = 1 << 20
#: What a batch has beside its bodies: heads and headers.
_HEADERS_BYTES = 4 * _BYTES_PER_MB
#: Multi Model Server has at most so many copies of a body at once, on its way in and out.
_COPIES = 6
_LEAST_HEAP_MB, _IDLE_HEAP_MB, _LARGEST_HEAP_MB = 48, 64, 1024
#: The pool ends workers that hang, and knows when; this server's own clock counts in minutes.
_NEVER_MINUTES = 100_000
_SELDOM_S = 1_000_000
#: Serial collection and the quick compiler alone take least memory and time to start.
_FIXED_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xss512k",
)
#: Variables by which the server would be told otherwise.
_OTHERWISE = ("MMS_CONFIG_FILE", "MODEL_SERVER_HOME", "LOG_LOCATION", "METRICS_LOCATION")


@dataclass(frozen=True, kw_only=True)
class Places:
    """One server's private ``folder``, and what lies in it; ``package`` is the server's own."""

    folder: Path
    package: Path

    @property
    def inference(self) -> Path:
        """The socket where batches are sent."""
        return self.folder / "inference.sock"

    @property
    def management(self) -> Path:
        """The socket where models are registered."""
        return self.folder / "management.sock"

    @property
    def lifelines(self) -> Path:
        """The socket where workers say that they live."""
        return self.folder / "lifelines.sock"

    @property
    def model(self) -> Path:
        """The empty folder that every worker is registered with; its own it hears from us."""
        return self.folder / "worker"

    @property
    def properties(self) -> Path:
        """The server's configuration."""
        return self.folder / "config.properties"

    @property
    def logging(self) -> Path:
        """Its log's configuration."""
        return self.folder / "log4j2.xml"


def envelope_bytes(options: Options) -> int:
    """Return how large a batch may be on its way in, in bytes; a single request always fits."""
    return options.max_payload_bytes + _HEADERS_BYTES


def heap_mb(options: Options, memory_bytes: int) -> int:
    """Return the Java machine's heap: what full bodies need, at most a quarter of the memory."""
    payload_mb = options.answer_bytes // _BYTES_PER_MB
    wanted = _IDLE_HEAP_MB + _COPIES * payload_mb * options.workers
    quarter = memory_bytes // _BYTES_PER_MB // 4
    return max(_LEAST_HEAP_MB, min(wanted, quarter, _LARGEST_HEAP_MB))


def java_command(
    places: Places, options: Options, env: Mapping[str, str], memory_bytes: int
) -> tuple[str, ...]:
    """Return the command that starts the server; the user's own options come last, and win."""
    frontend = places.package / "frontend"
    return (
        "java",
        *_FIXED_OPTIONS,
        f"-Xmx{heap_mb(options, memory_bytes)}m",
        *shlex.split(env.get(variables.SAGEMAKER_MODEL_SERVER_VMARGS.name, "")),
        f"-Djava.io.tmpdir={places.folder}",
        f"-Djava.library.path={frontend}",
        f"-Dmodel_server_home={places.package.parent}",
        f"-Dlog4j.configurationFile=file://{places.logging}",
        *("-cp", f"{frontend}/*", _MAIN),
        *("--python", sys.executable, "--mms-config", str(places.properties)),
    )


def java_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment: the container's, without what would configure it again."""
    return {name: value for name, value in env.items() if name not in _OTHERWISE}


def properties(places: Places, options: Options) -> str:
    """Return the server's configuration. It finds GPUs, threads and queues in the pool's place."""
    rows = {
        "inference_address": f"unix:{places.inference}",
        "management_address": f"unix:{places.management}",
        "model_store": places.folder,
        "default_service_handler": _HANDLER,
        "default_response_timeout": _NEVER_MINUTES,
        "max_request_size": envelope_bytes(options),
        "max_response_size": options.answer_bytes + _HEADERS_BYTES,
        "number_of_gpu": 0,
        "number_of_netty_threads": 1,
        "netty_client_threads": 1,
        "metric_time_interval": _SELDOM_S,
    }
    return "".join(f"{name}={value}\n" for name, value in rows.items())


def log_configuration() -> str:
    """Return its log's configuration: warnings and worse, to its output, one line each."""
    return """<?xml version="1.0" encoding="UTF-8"?>
<Configuration>
  <Appenders>
    <Console name="console" target="SYSTEM_OUT">
      <RegexFilter regex="(attach|terminate)IOStreams.*" onMatch="DENY" onMismatch="NEUTRAL"/>
      <PatternLayout pattern="mms: %m %ex{short.message}%n" alwaysWriteExceptions="false"/>
    </Console>
  </Appenders>
  <Loggers>
    <Logger name="MMS_METRICS" level="off"/>
    <Logger name="MODEL_METRICS" level="off"/>
    <Logger name="ACCESS_LOG" level="off"/>
    <Logger name="io.netty" level="error"/>
    <Root level="warn"><AppenderRef ref="console"/></Root>
  </Loggers>
</Configuration>
"""
