"""What the programs of this folder have in common: options, a session, a result, an exit code."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from sagedock import SagedockError, Session
from sagedock.client.show import Lines

ACCOUNT, REGION = "123456789012", "us-west-2"
INTERRUPTED = 130


def parser_of(description: str, repository: str) -> argparse.ArgumentParser:
    """Return a parser of the options that say where, as whom and in which image."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:cpu"
    parser.add_argument("--target", choices=["local", "aws"], default="local")
    parser.add_argument("--role", default=f"arn:aws:iam::{ACCOUNT}:role/sagedock")
    parser.add_argument("--image", default=image)
    parser.add_argument("--region", help="default: the environment's, else us-west-2 locally")
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def session_of(options: argparse.Namespace) -> Session:
    """Return a session that tells its progress, beside the result where that is JSON."""
    show = Lines(lambda: sys.stderr if options.json else sys.stdout)
    return Session(target=options.target, region=options.region, show=show)


def draws(session: Session) -> bool:
    """Say whether what is waited for is a picture on a terminal, which stays there at the end."""
    return isinstance(session.show, Lines) and session.show.can_draw


def report(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result."""
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name:<14} {value:.4f}" if isinstance(value, float) else f"{name:<14} {value}")


def run(main: Callable[[], int]) -> None:
    """Run a program, and exit: an error is a line, Ctrl-C is 130."""
    try:
        sys.exit(main())
    except SagedockError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
