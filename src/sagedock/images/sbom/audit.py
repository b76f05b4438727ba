"""An image's packages, held against what is known of vulnerabilities.

A source of packages is clean only where every one of its packages was answered: no network, half
an answer, or a list that misses packages is "not audited", and that is no pass.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.images.allowed import Allowed
from sagedock.images.sbom.making import Sbom, property_of
from sagedock.images.sbom.osv import Answered, Osv, OsvFailed, Query
from sagedock.images.sbom.package import clean

__all__ = ["SOURCES", "Audit", "Finding", "Source", "SourceRow", "Verdict", "audit"]

Source = Literal["python", "debian", "java"]
Verdict = Literal["clean", "vulnerable", "not audited", "not asked", "no packages"]
SOURCES: tuple[Source, ...] = ("python", "debian", "java")
_MOST_DETAILS = 300
_MOST_FIXED = 5

Component = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A known vulnerability of one package. ``fixed`` are versions without it, ``summary`` and
    ``aliases`` what the service says; empty where it was not told. ``allowed`` is why it is let
    pass, for now.
    """

    source: Source
    package: str
    version: str
    path: str
    vulnerability: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    fixed: tuple[str, ...] = ()
    allowed: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """What came of one source of packages. ``unanswered`` counts those that nobody answered of."""

    source: Source
    packages: int
    verdict: Verdict
    unanswered: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What came of an audit."""

    image_id: str
    rows: tuple[SourceRow, ...]
    findings: tuple[Finding, ...]

    @property
    def vulnerable(self) -> bool:
        """Whether something was found that is not let pass."""
        return any(row.verdict == "vulnerable" for row in self.rows)

    @property
    def not_audited(self) -> bool:
        """Whether a source that was asked for could not be audited, or not wholly."""
        return any(row.verdict == "not audited" or row.unanswered for row in self.rows)


def audit(
    sbom: Sbom,
    osv: Osv,
    *,
    sources: Iterable[Source] = ("python",),
    allowed: Sequence[Allowed] = (),
    today: datetime.date,
) -> Audit:
    """Return what is known of vulnerabilities of an image's packages, of the sources asked for."""
    wanted = frozenset(sources)
    rows: list[SourceRow] = []
    findings: list[Finding] = []
    details = _Details(osv)
    for source in SOURCES:
        packages = sbom.packages(source)
        if source not in wanted:
            verdict: Verdict = "not asked" if packages else "no packages"
            rows.append(SourceRow(source=source, packages=len(packages), verdict=verdict))
            continue
        answers = _answers(sbom, osv, source, packages)
        found = [
            _finding(source, package, identifier, details, allowed, today)
            for package, answer in zip(packages, answers, strict=True)
            for identifier in answer.ids
        ]
        told = [each for each in found if each is not None]
        findings += told
        rows.append(_row(sbom, source, answers, told))
    return Audit(image_id=sbom.image_id, rows=tuple(rows), findings=tuple(findings))


def _answers(
    sbom: Sbom, osv: Osv, source: Source, packages: Sequence[Component]
) -> tuple[Answered, ...]:
    """Return an answer for each package; those that cannot be asked about have one, too."""
    system = _debian_release(sbom)
    queries = [_query(source, each, system) for each in packages]
    answers = iter(osv.vulnerabilities([each for each in queries if isinstance(each, Query)]))
    return tuple(
        next(answers) if isinstance(each, Query) else Answered(why_not=each) for each in queries
    )


def _query(source: Source, package: Component, system: str) -> Query | str:
    """Return what is to be asked about a package, or why nothing can be."""
    version, name = str(package.get("version", "")), str(package["name"])
    if not version:
        return f"{name} does not tell its version"
    match source:
        case "python":
            plain = re.sub(r"[-_.]+", "-", name).lower()
            # What was built locally, such as 2.9.0+cpu, has what its version has.
            return Query(ecosystem="PyPI", name=plain, version=version.partition("+")[0])
        case "java":
            full = f"{package.get('group', '')}:{name}"
            return Query(ecosystem="Maven", name=full, version=version)
        case "debian":
            if not system:
                return "the image's distribution is not Debian, or it does not tell which release"
            made_of = property_of(dict(package), "source") or name
            its_version = property_of(dict(package), "source-version") or version
            return Query(ecosystem=system, name=made_of, version=its_version)


def _debian_release(sbom: Sbom) -> str:
    """Return OSV's word for the image's release of Debian. Source:
    https://ossf.github.io/osv-schema/#affectedpackage-field
    """
    for each in sbom.document["components"]:
        if each["type"] == "operating-system" and each["name"] == "debian":
            release = str(each.get("version", ""))
            return f"Debian:{release}" if release.isdigit() else ""
    return ""


def _row(
    sbom: Sbom, source: Source, answers: Sequence[Answered], findings: Sequence[Finding]
) -> SourceRow:
    reasons = list(dict.fromkeys(each.why_not for each in answers if each.why_not))
    if sbom.unread:
        reasons.append(f"packages may be missing: {sbom.unread[0]}")
    verdict: Verdict = "clean" if answers else "no packages"
    if any(not each.allowed for each in findings):
        verdict = "vulnerable"
    elif reasons:
        verdict = "not audited"
    passed = sum(bool(each.allowed) for each in findings)
    told = [*reasons[:3], *([f"{passed} let pass"] if passed else ())]
    return SourceRow(
        source=source,
        packages=len(answers),
        verdict=verdict,
        unanswered=sum(bool(each.why_not) for each in answers),
        reason="; ".join(told),
    )


def _finding(
    source: Source,
    package: Component,
    identifier: str,
    details: "_Details",
    allowed: Sequence[Allowed],
    today: datetime.date,
) -> Finding | None:
    """Return a vulnerability of a package, with what the service tells of it; None for one that was
    withdrawn.
    """
    said = details.of(identifier)
    if said.get("withdrawn"):
        return None
    aliases = tuple(clean(str(each)) for each in _list(said.get("aliases")))
    names = {identifier, *aliases}
    let_pass = (each.reason for each in allowed if each.finding in names and each.holds(today))
    return Finding(
        source=source,
        package=str(package["name"]),
        version=str(package["version"]),
        path=str(package["evidence"]["occurrences"][0]["location"]),
        vulnerability=clean(identifier),
        aliases=aliases,
        summary=clean(str(said.get("summary") or "")),
        fixed=tuple(dict.fromkeys(_fixed(said, str(package["name"]))))[:_MOST_FIXED],
        allowed=next(let_pass, ""),
    )


class _Details:
    """What the service tells of vulnerabilities, each asked for once, and not for too many."""

    def __init__(self, osv: Osv) -> None:
        self._osv = osv
        self._found: dict[str, Mapping[str, Any]] = {}

    def of(self, identifier: str) -> Mapping[str, Any]:
        if identifier not in self._found:
            if len(self._found) >= _MOST_DETAILS:
                return {}
            try:
                self._found[identifier] = self._osv.details(identifier)
            except OsvFailed:
                self._found[identifier] = {}  # it is a finding all the same
        return self._found[identifier]


def _fixed(said: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the versions that an advisory says have it no more, of the package of that name."""
    for affected in _list(said.get("affected")):
        about = affected.get("package") if isinstance(affected, dict) else None
        if not isinstance(about, dict) or _plain(about.get("name")) != _plain(name):
            continue
        for each in _list(affected.get("ranges")):
            if isinstance(each, dict) and each.get("type") == "ECOSYSTEM":
                events = (event for event in _list(each.get("events")) if isinstance(event, dict))
                yield from (clean(str(event["fixed"])) for event in events if "fixed" in event)


def _plain(name: object) -> str:
    return re.sub(r"[-_.]+", "-", str(name).rpartition(":")[2]).lower()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
