"""``sagedock build``: images of containers/images.toml, built by this machine's docker client."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sagedock.cli import build_options as options
from sagedock.cli import build_remote_options as far
from sagedock.cli.build_outcome import Outcome
from sagedock.cli.build_progress import BuildProgress, build_progress
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.engine import Engine, ImageLayer
    from sagedock.images import Image
    from sagedock.images.size_report import SizeReport

__all__ = ["build"]

_PACKED = Path("build/layers.json")


def build(
    names: options.Names = None,
    no_cache: options.NoCache = False,
    no_network: options.NoNetwork = False,
    measure: options.Measure = False,
    login_registry: options.Logins = None,
    as_json: options.AsJson = False,
    remote: far.Remote = False,
    yes: far.Yes = False,
    dry_run: far.DryRun = False,
    detach: far.Detach = False,
    attach: far.Attach = None,
    print_policy: far.PrintPolicy = None,
    target: far.TargetOption = None,
    region: far.Region = None,
    project: far.Project = None,
    bucket: far.Bucket = None,
    tag: far.Tag = None,
    compute_type: far.ComputeType = far.Asked.compute_type,
    environment_image: far.EnvironmentImage = far.Asked.environment_image,
    timeout: far.TimeoutMin = far.Asked.timeout_min,
    cache: far.CacheOption = far.Asked.cache,
    allow_file: far.AllowFile = None,
    source_days: far.SourceDays = far.Asked.source_days,
    log_days: far.LogDays = far.Asked.log_days,
) -> None:
    """Build images of containers/images.toml, and tell their size by layer.

    Python packages are gathered by this machine's pip first. Progress goes to standard error; the
    whole output of a build to build/logs/NAME.log. A base that is another image of the matrix is
    built first where the engine lacks it. With --remote CodeBuild builds and pushes them.
    """
    given = locals()
    far.refuse_apart(asked := far.asked(given), given)
    if remote:
        from sagedock.cli.build_remote import build_remotely

        build_remotely(asked)
        return
    how = {"no_cache": no_cache, "no_network": no_network, "measure": measure}
    outcome = Outcome(again="the same command" + " without --no-cache" * no_cache)
    with interruptible(outcome.interruption):
        _build_here(outcome, names or (), login_registry or (), as_json=as_json, **how)
    _fail(outcome)


def _build_here(
    outcome: Outcome,
    names: Sequence[str],
    registries: Sequence[str],
    *,
    as_json: bool,
    **how: bool,
) -> None:
    from sagedock import engine
    from sagedock.images import find_matrix, load_images
    from sagedock.images.choice import chosen_images, foreign_bases
    from sagedock.images.logins import ecr_login, logged_in

    matrix = find_matrix()
    images = load_images(matrix)
    has = _Has(engine.connect)
    outcome.chosen = chosen_images(names, images, has.image)
    _refuse_folder(matrix.parent.parent, outcome.chosen, measure=how["measure"])
    logins = [ecr_login(host, _ecr) for host in registries]
    _refuse(foreign_bases(outcome.chosen, has.architecture))
    asked: dict[str, Any] = {**how, "root": matrix.parent.parent}
    try:
        with logged_in(logins) as environ, build_progress() as progress:
            _build_all(has.engine, outcome, images, progress, environ=environ, **asked)
    except KeyboardInterrupt:
        outcome.interrupt()
        _print(outcome, as_json=as_json)
        raise
    _print(outcome, as_json=as_json)


def _refuse_folder(root: Path, chosen: "Sequence[Image]", *, measure: bool) -> None:
    """Refuse a build folder that will not take what a build writes there."""
    from sagedock.images.build import log_of
    from sagedock.images.writing import refuse_unwritable

    files = [log_of(image, root) for image in chosen] + [root / _PACKED] * measure
    for file in files:
        refuse_unwritable(file, "make its folder writable")


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        typer.echo(outcome.as_json())
        return
    for line in outcome.lines():
        typer.echo(line)


def _fail(outcome: Outcome) -> None:
    if outcome.ended_by is not None:
        for each in outcome.failed[:-1]:
            typer.echo(each.error, err=True)
    if summary := outcome.summary():
        typer.echo(summary, err=True)
    if error := outcome.error():
        raise error


class _Has:
    """What the engine has of images, asked by name; without a question no engine is needed."""

    def __init__(self, connect: "Callable[[], Engine]") -> None:
        self._connect = connect

    @cached_property
    def engine(self) -> "Engine":
        return self._connect()

    def image(self, reference: str) -> bool:
        return self.architecture(reference) is not None

    def architecture(self, reference: str) -> str | None:
        from sagedock.errors import ImageNotFound

        try:
            return self.engine.image(reference).architecture
        except ImageNotFound:
            return None


def _build_all(
    connected: "Engine",
    outcome: Outcome,
    images: "Sequence[Image]",
    progress: BuildProgress,
    *,
    measure: bool,
    **asked: Any,
) -> None:
    from sagedock.errors import SagedockError
    from sagedock.images import build_image
    from sagedock.images.choice import release_of

    try:
        for image in outcome.chosen:
            progress.begin(image.name)
            release = release_of(image, images)
            found = build_image(image, progress=progress.say, release=release, **asked)
            outcome.doing = "measuring"
            report = _report(connected, image, found.id, asked["root"] / _PACKED, progress, measure)
            progress.say(f"{image.name}: {image.reference} is ready")
            outcome.add(found, report)
    except SagedockError as error:  # what is built until then is told, too
        outcome.end(error)


def _report(
    connected: "Engine",
    image: "Image",
    built: str,
    file: Path,
    progress: BuildProgress,
    measure: bool,
) -> "SizeReport":
    from sagedock.images.packed_layers import keep_packed, known_packed, measure_packed
    from sagedock.images.size_report import size_report

    layers, base = connected.layers(built), _layers_of_base(connected, image)
    packed = known_packed(file)
    report = size_report(image, layers, packed, base)
    if measure and report.estimated:
        progress.say(f"{image.name}: compressing what is new of it, to tell how large that is")
        known = {layer.diff_id for layer in layers if layer.diff_id in packed}
        new = measure_packed(lambda: connected.saved(built), progress.say, known)
        keep_packed(file, new)
        report = size_report(image, layers, known_packed(file), base)
    return report


def _layers_of_base(connected: "Engine", image: "Image") -> "Sequence[ImageLayer]":
    """Return them, none where the engine has no such image: BuildKit pulls it without its name."""
    from sagedock.errors import ImageNotFound

    try:
        return connected.layers(image.base)
    except ImageNotFound:
        return ()


def _refuse(problems: Sequence[str]) -> None:
    from sagedock.errors import InvalidRequest

    if problems:
        raise InvalidRequest(problems)


def _ecr(region: str) -> Any:
    import boto3

    return boto3.client("ecr", region_name=region)
