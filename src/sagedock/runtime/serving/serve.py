"""`docker run IMAGE serve`: the model of /opt/ml/model behind SageMaker's serving contract."""

import os
import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from sagedock.contract import signals, variables
from sagedock.errors import InvalidRequest, SagedockError
from sagedock.runtime.cuda_compat import with_compat
from sagedock.runtime.log import say

__all__ = ["ModelServer", "main"]

#: What workers have printed goes another way, stdout; it comes before the last word.
_LAST_WORD_S = 0.1


class ModelServer(StrEnum):
    """The model servers that SAGEDOCK_SERVER may name."""

    NATIVE = "native"
    MMS = "mms"


def main(env: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM; return the exit code. Where it is not 0, the log ends with the cause."""
    try:
        _serve(_chosen(env), with_compat(env, say))
    except SagedockError as error:
        time.sleep(_LAST_WORD_S)
        say(str(error))
        return signals.EXIT_FAILURE
    return signals.EXIT_SUCCESS


def _chosen(env: Mapping[str, str]) -> ModelServer:
    name = env.get(variables.SAGEDOCK_SERVER.name) or ModelServer.NATIVE
    try:
        return ModelServer(name)
    except ValueError:
        known = " or ".join(ModelServer)
        raise InvalidRequest([f"{variables.SAGEDOCK_SERVER}: {name!r}: use {known}"]) from None


def _serve(server: ModelServer, env: Mapping[str, str]) -> None:
    match server:
        case ModelServer.NATIVE:
            from sagedock.runtime.serving import native

            native.serve(env)
        case ModelServer.MMS:
            from sagedock.runtime.serving import mms, native

            native.serve(env, mms.workers)
        case _:
            assert_never(server)


if __name__ == "__main__":
    sys.exit(main())
