"""Build images of containers/images.toml: `build.py [NAME...]`, the CPU ones by default.

`--login-registry ACCOUNT.dkr.ecr.REGION.amazonaws.com` logs in for base images; several times, too.
"""

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

from sagedock.errors import SagedockError
from sagedock.images import build_image, find_matrix, load_images
from sagedock.images.logins import ecr_login, logged_in

ROOT = Path(__file__).resolve().parent.parent


def main(words: list[str]) -> int:
    """Build the named images, one after the other, and return the exit code."""
    parser = argparse.ArgumentParser(description="build images of containers/images.toml")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--login-registry", action="append", default=[])
    given = parser.parse_args(words)
    try:
        logins = [ecr_login(host, _ecr) for host in given.login_registry]
        with logged_in(logins) as environ:
            return _build(given.names, environ)
    except SagedockError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _build(names: list[str], environ: dict[str, str]) -> int:
    images = load_images(find_matrix(ROOT))
    unknown = sorted(set(names) - {image.name for image in images})
    if unknown:
        known = ", ".join(image.name for image in images)
        print(f"no image is called {', '.join(unknown)}: use {known}", file=sys.stderr)
        return 2
    for image in images:
        if image.name in names or (not names and image.device == "cpu"):
            say = functools.partial(print, flush=True)
            build_image(image, root=ROOT, progress=say, environ=environ)
            say(f"{image.name}: {image.reference} is ready")
    return 0


def _ecr(region: str) -> Any:
    import boto3

    return boto3.client("ecr", region_name=region)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
