"""The process that proposes by a model: what it computes with wants every processor there is, and
they are the training jobs'.

It is run as a file of its own, and speaks JSON lines: for each request, one answer.
"""

import json
import sys
from pathlib import Path
from typing import IO, Any

__all__ = ["main"]


def main(requests: IO[str] = sys.stdin, answers: IO[str] = sys.stdout) -> None:
    """Answer until there is no more request."""
    from sagedock.search.apart import asked
    from sagedock.search.bayesian import Bayesian

    for line in requests:
        request: dict[str, Any] = json.loads(line)
        space, seed, number, tried = asked(request)
        values = Bayesian(space=space, seed=seed).propose(number, tried)
        answers.write(json.dumps(values) + "\n")
        answers.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
