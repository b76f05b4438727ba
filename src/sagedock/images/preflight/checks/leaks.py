"""Secrets in the layers, in variables and in the history: what was deleted later is still there."""

from collections.abc import Iterator

from sagedock.images.preflight import sources
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.secrets import is_of_a_package, secrets_told

__all__ = ["leak_rows"]

_SHOWN = 8


def leak_rows(facts: ImageFacts) -> Iterator[Row]:
    """Yield one row: every secret's place and kind, and never the secret."""
    found = [*_in_files(facts), *_in_settings(facts)]
    passed_over = sum(
        is_of_a_package(leak.path) for layer in facts.saved.layers for leak in layer.leaks
    )
    more = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    clean = "none" + (
        f"; {passed_over} that installed packages bring, for their own tests" if passed_over else ""
    )
    yield Row(
        check="secrets",
        verdict=Verdict.FAILS if found else Verdict.OK,
        found="; ".join(found[:_SHOWN]) + more if found else clean + _unread(facts),
        needed="none, in any layer: whoever may pull the image can read each of them",
        source=sources.SECRETS,
        remedy="give it up (revoke it), and build again with RUN --mount=type=secret: deleting it "
        "in a later layer does not remove it"
        if found
        else "",
    )


def _unread(facts: ImageFacts) -> str:
    unread = facts.files.unread
    return f"; of {unread} large files only the beginning was searched" if unread else ""


def _in_files(facts: ImageFacts) -> Iterator[str]:
    layers = facts.saved.layers
    for number, layer in enumerate(layers, 1):
        for leak in layer.leaks:
            if is_of_a_package(leak.path):
                continue
            gone = leak.path not in facts.files.entries or facts.files.entries[
                leak.path
            ] is not layer.entries.get(leak.path)
            later = ", deleted or replaced later" if gone else ""
            yield f"{leak.what} in /{leak.path} (layer {number} of {len(layers)}{later})"


def _in_settings(facts: ImageFacts) -> Iterator[str]:
    for name, value in facts.environment.items():
        for what in secrets_told(f"{name}={value}"):
            yield f"{what} in the variable {name}"
    for name, value in facts.labels.items():
        for what in secrets_told(f"{name}={value}"):
            yield f"{what} in the label {name}"
    for number, step in enumerate(facts.saved.config.get("history") or (), 1):
        for what in secrets_told(str(step.get("created_by", ""))):
            yield f"{what} in the history, step {number} (docker history shows it)"
