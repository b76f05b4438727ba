"""Jobs as the rows of a table: what each is doing, what it costs, what it has reached."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sagedock.client.exact import exact_series
from sagedock.client.existing import found
from sagedock.client.job_kinds import KINDS, JobKind, Word
from sagedock.client.job_rows import JobRow, JobView, details_of
from sagedock.client.refusals import explained
from sagedock.client.series import SeriesFollower
from sagedock.client.session import Session
from sagedock.client.show import nowhere
from sagedock.client.tuning_run import TuningRun
from sagedock.errors import InvalidRequest

__all__ = ["Board"]

_PAGE = 100
_Key = tuple[Word, str]


class Board:
    """Looks at jobs, again and again: of each it asks only for what may have changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._followers: dict[_Key, SeriesFollower] = {}
        self._ended: dict[_Key, tuple[JobView, Mapping[str, Any]]] = {}
        self._kinds: dict[str, Word] = {}

    def latest(
        self,
        *,
        limit: int,
        status: str | None = None,
        contains: str | None = None,
        kind: Word | None = None,
    ) -> tuple[JobRow, ...]:
        """Return the newest jobs, newest first; of those in ``status``, with such a name, of that
        kind.
        """
        asked = {"StatusEquals": status, "NameContains": contains}
        request = {name: value for name, value in asked.items() if value is not None}
        with explained(self._session.target):
            listed = [
                (each["CreationTime"], one, one.name(each))
                for one in _kinds_with(status, kind)
                for each in self._listed(one, request, limit)
            ]
        newest = sorted(listed, key=lambda each: each[0], reverse=True)[:limit]
        return tuple(self._looked_at(one, name)[0].row for _, one, name in newest)

    def view(self, name: str, kind: Word | None = None) -> JobView:
        """Return one job. Raises InvalidRequest for an unknown one, and for a name that jobs of
        several kinds have where ``kind`` does not say which is meant.
        """
        if kind is None and name not in self._kinds:
            self._kinds[name] = self._kind_of(name)
        view, description = self._looked_at(KINDS[kind or self._kinds[name]], name)
        if view.row.kind == "tuning":
            return replace(view, tuning=TuningRun(name, self._session, nowhere).analytics())
        if view.row.kind != "training" or not view.row.has_ended:
            return view
        with explained(self._session.target):
            series = exact_series(self._session.client("logs"), description, view.series)
        return replace(view, series=series)

    def _listed(
        self, kind: JobKind, request: Mapping[str, str], limit: int
    ) -> Iterator[Mapping[str, Any]]:
        pages = self._sagemaker.get_paginator(f"list_{kind.snake}s").paginate(
            **request,
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"MaxItems": limit, "PageSize": min(limit, _PAGE)},
        )
        for page in pages:
            yield from page[kind.summaries]

    def _kind_of(self, name: str) -> Word:
        """Return the kind of the only job of this name."""
        with explained(self._session.target):
            there = [kind.word for kind in KINDS.values() if found(self._asking(kind), name=name)]
        if not there:
            kinds = ", ".join(KINDS)
            raise InvalidRequest(
                [
                    f"{name}: not found among the jobs of {self._session.region} ({kinds}): "
                    "`sagedock jobs` lists the newest"
                ]
            )
        if len(there) > 1:
            raise InvalidRequest(
                [f"{name}: is the name of jobs of several kinds: give --kind {' or '.join(there)}"]
            )
        return there[0]

    def _looked_at(self, kind: JobKind, name: str) -> tuple[JobView, Mapping[str, Any]]:
        """Return a job as CloudWatch has it, and its description."""
        key = (kind.word, name)
        if key in self._ended:
            return self._ended[key]
        with explained(self._session.target):
            description = kind.describe(self._sagemaker, name)
            series = self._follower(key).read(description, kind)
        view = JobView(
            row=JobRow.of(description, series, kind),
            series=series,
            details=details_of(kind, description),
        )
        if view.row.has_ended:
            self._ended[key] = (view, description)
        return view, description

    def _asking(self, kind: JobKind) -> Any:
        return lambda name: kind.describe(self._sagemaker, name)

    def _follower(self, key: _Key) -> SeriesFollower:
        if key not in self._followers:
            self._followers[key] = SeriesFollower(
                self._session.client("cloudwatch"), self._session.place.pace
            )
        return self._followers[key]

    @property
    def _sagemaker(self) -> Any:
        return self._session.client("sagemaker")


def _kinds_with(status: str | None, kind: Word | None) -> Sequence[JobKind]:
    """Return the kinds to list: a status that a kind has not would be refused. One that no kind has
    is asked for, to be refused in the service's words.
    """
    if kind is not None:
        return [KINDS[kind]]
    knowing = [each for each in KINDS.values() if status is None or status in each.statuses]
    return knowing or [KINDS["training"]]
