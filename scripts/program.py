"""What the programs of this folder have in common: options, a session, a result, an exit code."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from sagedock import DryRun, DryRunOver, SagedockError, Session
from sagedock.client.show import Lines, nowhere

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
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="send nothing: show the requests up to the first whose answer must be waited for",
    )
    return parser


def session_of(options: argparse.Namespace) -> Session:
    """Return a session that tells its progress, beside the result where that is JSON."""
    show = Lines(lambda: sys.stderr if options.json else sys.stdout)
    if options.dry_run:
        plan = DryRun(account=account_of(options.role), show=None if options.json else show)
        return Session(target=options.target, region=options.region, show=nowhere, dry_run=plan)
    return Session(target=options.target, region=options.region, show=show)


def account_of(role: str) -> str:
    """Return the account in a role's ARN."""
    parts = role.split(":")
    return parts[4] if len(parts) == 6 and parts[4] else ACCOUNT


def draws(session: Session) -> bool:
    """Say whether what is waited for is a picture on a terminal, which stays there at the end."""
    return isinstance(session.show, Lines) and session.show.can_draw


def report(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result."""
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name:<14} {_number(value) if isinstance(value, float) else value}")


def _number(value: float) -> str:
    """Return four decimals, or four digits of what is too small for that."""
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.1 else f"{value:.4g}"


def run(main: Callable[[], int]) -> None:
    """Run a program, and exit: an error is a line, Ctrl-C is 130."""
    try:
        sys.exit(main())
    except SagedockError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except DryRunOver as over:
        if over.dry_run.show:
            over.dry_run.show(str(over))
        else:
            print(json.dumps([each.document() for each in over.dry_run.requests], indent=2))
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
