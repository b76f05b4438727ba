"""From a folder to a model that is loaded and warmed, and what the front is told of it."""

import contextlib
import logging
import traceback
from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import variables
from sagedock.errors import InvalidRequest, SagedockError
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.worker.defaults import default_handler
from sagedock.runtime.serving.worker.model import Model, load
from sagedock.runtime.serving.worker.user_code import find_functions, import_program, misspelt

__all__ = [
    "WHILE_LOADING",
    "WHILE_SERVING",
    "be_killed_first",
    "load_model_of",
    "loaded",
    "log_to_stderr",
    "not_loaded",
]

_log = logging.getLogger("sagedock")
_OOM_WISH = Path("/proc/self/oom_score_adj")
#: The kernel ends who has most memory, and adds so many thousandths of the container's. A model
#: that is being loaded goes before those that serve, however large these are; the front is last.
WHILE_LOADING = 1000
WHILE_SERVING = 200
#: As many as the front may give at once; it has its own limit.
_LARGEST_BATCH = 1 << 16


def be_killed_first(wish: int) -> None:
    """Tell the kernel which process to end where memory runs out: a worker, never the front."""
    with contextlib.suppress(OSError):  # a container may forbid it
        _OOM_WISH.write_text(str(wish), encoding="ascii")


def log_to_stderr() -> None:
    """Let what the model's code logs, from INFO on, go to stderr, and nowhere else."""
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True
    )


def load_model_of(folder: Path, env: Mapping[str, str]) -> Model:
    """Load the model of ``folder`` and warm it. Raises whatever the user's code raises."""
    program = import_program(folder, env)
    for warning in misspelt(program):
        _log.warning(warning)
    functions = find_functions(program, default_handler())
    properties = {
        "model_dir": str(folder),
        "gpu_id": 0 if env.get("CUDA_VISIBLE_DEVICES") else None,
    }
    accept = env.get(variables.SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT.name, "application/json")
    return load(functions, folder, properties, accept)


def loaded(model: Model, *, converses: bool = False) -> Frame:
    """Return what the front is told of a model that can serve; ``converses``: over WebSockets."""
    batches = model.functions.batch_predict_fn is not None
    return Frame(Kind.READY, _LARGEST_BATCH if batches else 1, int(converses))


def not_loaded(error: Exception) -> Frame:
    """Return what the front is told of a model that cannot be loaded; the log has the traceback.

    What the code or the folder is at fault for is so at the next attempt, too.
    """
    hopeless = int(isinstance(error, (InvalidRequest, SyntaxError)))
    if isinstance(error, SagedockError):
        return Frame(Kind.FAILED, status=hopeless, body=str(error).encode())
    traceback.print_exception(error)
    said = f"{type(error).__name__}: {error}"
    return Frame(Kind.FAILED, status=hopeless, body=said.encode())
