"""Logins to the registries of base images, for one build: a Docker configuration of its own.

It is the user's with these logins added, in a folder that nobody else may read and that goes with
the build. The user's own files are read, and never written. Unlike a push, which the engine does, a
build is the docker client's, and that takes logins from a file alone.
"""

import base64
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagedock.api.regions import refuse_region
from sagedock.errors import InvalidRequest
from sagedock.images.ecr import EcrRegistry, Login, ecr_explained

__all__ = ["ecr_login", "logged_in", "registry_of"]

#: Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com|on\.aws)(?:\.cn)?"
)
_FILE = "config.json"


def ecr_login(host: str, client: Callable[[str], Any]) -> Login:
    """Return the login to ECR's registry ``host``, which may be another account's; ``client``
    returns the boto3 client of ECR in a region. Raises InvalidRequest for a host that is none,
    NoCredentials where nobody is signed in, and PushFailed where ECR refuses.
    """
    account, region = registry_of(host)
    with ecr_explained(region, pushes=False):
        registry = EcrRegistry(client=client(region), region=region, pushes=False)
    return replace(registry.login(account=account), host=host)


def registry_of(host: str) -> tuple[str, str]:
    """Return account and region of a registry of ECR's. Raises InvalidRequest for another host."""
    found = _ECR.fullmatch(host)
    if found is None:
        raise InvalidRequest(
            [
                f"--login-registry: {host!r} is no registry of ECR's: use one like "
                "111122223333.dkr.ecr.us-west-2.amazonaws.com; to others log in with `docker login`"
            ]
        )
    refuse_region(found["region"], "--login-registry")
    return found["account"], found["region"]


@contextmanager
def logged_in(
    logins: Sequence[Login], environ: Mapping[str, str] = os.environ
) -> Iterator[dict[str, str]]:
    """Yield ``environ`` for a docker client that is logged in; what that takes is gone afterwards.

    Contexts, plugins and logins of the user's stay in force.
    """
    if not logins:
        yield dict(environ)
        return
    own = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~")) / ".docker")
    with tempfile.TemporaryDirectory(prefix="sagedock-logins-") as private:  # mode 0700
        folder = Path(private)
        for entry in own.expanduser().iterdir() if own.expanduser().is_dir() else ():
            if entry.name != _FILE:
                (folder / entry.name).symlink_to(entry.absolute())
        file = folder / _FILE
        file.touch(mode=0o600)
        file.write_text(json.dumps(_configuration(own.expanduser() / _FILE, logins)))
        yield {**environ, "DOCKER_CONFIG": str(folder)}


def _configuration(own: Path, logins: Sequence[Login]) -> dict[str, Any]:
    try:
        said: Any = json.loads(own.read_text(encoding="utf-8"))
    except FileNotFoundError:
        said = {}
    except (OSError, ValueError) as error:
        raise InvalidRequest([f"{own}: cannot be read as JSON ({error}): mend it"]) from error
    hosts = {each.host: {"auth": _encoded(each)} for each in logins}
    return {
        **said,
        "auths": {**(said.get("auths") or {}), **hosts},
        # No helper for these: it would be asked in the place of this file.
        "credHelpers": {**(said.get("credHelpers") or {}), **dict.fromkeys(hosts, "")},
    }


def _encoded(login: Login) -> str:
    return base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
