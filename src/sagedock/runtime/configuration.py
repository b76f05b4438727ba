"""The platform's JSON files, read robustly: what is missing is named, what is new is kept."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagedock.contract import paths
from sagedock.errors import ContractBroken
from sagedock.runtime.place import locate

__all__ = ["check", "complete_resources", "read_object"]

_FILES = (paths.HYPERPARAMETERS, paths.INPUT_DATA_CONFIG, paths.RESOURCE_CONFIG)


def check(env: Mapping[str, str]) -> dict[str, Any]:
    """Return resourceconfig.json, completed; raise ContractBroken naming every unusable file."""
    contents: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for place in _FILES:
        try:
            contents[place.path] = read_object(locate(place, env))
        except ContractBroken as problem:
            problems.append(str(problem))
    if problems:
        raise ContractBroken("\n".join(problems))
    return complete_resources(contents[paths.RESOURCE_CONFIG.path])


def read_object(file: Path) -> dict[str, Any]:
    """Return the JSON object in ``file``; raise ContractBroken that says what is wrong with it."""
    try:
        value = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ContractBroken(
            f"{file} is missing: the platform writes it before `train` starts. To run the image"
            " by hand, mount a folder with the job's files there"
        ) from None
    except OSError as error:
        raise ContractBroken(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ContractBroken(f"{file} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ContractBroken(f"{file} must hold a JSON object, not {type(value).__name__}")
    return value


def complete_resources(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource configuration that has what the toolkit indexes unguarded.

    Complete ones are returned as they are, unknown keys included. The SDK's local mode leaves the
    instance groups out; the current host and the hosts stand in for each other.
    """
    current = found.get("current_host")
    hosts = found.get("hosts") or ([current] if current else None)
    if not hosts:
        raise ContractBroken(
            f"{paths.RESOURCE_CONFIG}: neither 'hosts' nor 'current_host' is given:"
            " the platform names both, e.g. algo-1"
        )
    groups = found.get("instance_groups") or []
    completed = {**found, "current_host": current or hosts[0], "hosts": hosts}
    if "instance_groups" in found:
        completed["instance_groups"] = [
            {"hosts": [], **group} for group in groups if "instance_group_name" in group
        ]
    return completed
