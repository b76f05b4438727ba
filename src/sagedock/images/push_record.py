"""What a push leaves in the build folder: a JSON file for each image, tag and region."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sagedock.images.git import git_output
from sagedock.images.push import PushedImage
from sagedock.images.writing import replace_file

__all__ = ["facts", "git_state", "record"]

_REVISION_LABEL = "org.opencontainers.image.revision"
_KEPT_ALL_THE_SAME = "the image is pushed all the same; name another folder with --record"


def facts(
    pushed: PushedImage, *, image_id: str, labels: Mapping[str, str], git: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all that is known of an image in ECR. ``image_revision`` is what the image itself says
    of its source; ``git`` is the state of the folder that it was pushed from. ``sbom`` is where a
    list of what it holds lies, ``sbom_digest`` the artifact that has it in ECR once it is attached.
    """
    return {
        **asdict(pushed),
        "image_uri": pushed.image_uri,
        "image_id": image_id,
        "image_revision": labels.get(_REVISION_LABEL),
        **git,
        "sbom": None,
        "sbom_digest": None,
        "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def record(found: Mapping[str, Any], folder: Path) -> Path:
    """Write the facts to ``FOLDER/REPOSITORY/TAG.REGION.json``, and return that file."""
    path: Path = folder / found["repository"] / f"{found['tag']}.{found['region']}.json"
    text = json.dumps(found, indent=2) + "\n"
    replace_file(path, text.encode(), _KEPT_ALL_THE_SAME)
    return path


def git_state(folder: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the revision that ``folder`` has checked out, and whether files differ from it.

    Where it is no work tree of git's, $SAGEDOCK_REVISION tells it (``-dirty`` at its end: they do);
    else both are None.
    """
    told = environ.get("SAGEDOCK_REVISION")
    if told and git_output(folder, "rev-parse", "HEAD") is None:
        return {
            "git_revision": told.removesuffix("-dirty"),
            "git_dirty": told.endswith("-dirty"),
        }
    revision = git_output(folder, "rev-parse", "HEAD")
    changed = git_output(folder, "status", "--porcelain") if revision else None
    return {
        "git_revision": revision,
        "git_dirty": None if changed is None else bool(changed),
    }
