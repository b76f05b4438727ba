"""What a connection of mpirun runs: its command, in the environment of the host's own job.

``python -m sagedock.runtime.mpi.session ENVIRONMENT`` with the command in SSH_ORIGINAL_COMMAND, as
sshd's ForceCommand sets it. The toolkit lets mpirun carry the first host's SM_* to all ranks; here
SM_CURRENT_HOST is the rank's own host.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

__all__ = ["main"]

_ASKED = "SSH_ORIGINAL_COMMAND"


def main(arguments: list[str]) -> NoReturn:
    """Become the command that was asked for; exit with 1 where none was."""
    asked = os.environ.get(_ASKED)
    if not asked:
        sys.exit("this host serves mpirun alone")
    environment = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    os.execve("/bin/sh", ["sh", "-c", asked], environment)  # noqa: S606 - mpirun's own command


if __name__ == "__main__":
    main(sys.argv[1:])
