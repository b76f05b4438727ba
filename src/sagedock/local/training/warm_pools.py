"""Warm pools: what an ended job leaves for the next one that fits.

On AWS the machines stay, and each job gets a container of its own on them. Here, what a job wrote
into the pool's cache stays, and the next job does not wait for capacity.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html
"""

import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from sagedock.errors import EngineError
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training.containers import POOL_LABEL
from sagedock.local.training.record import Record
from sagedock.local.training.steps import KIND

__all__ = ["Place", "WarmPools"]

_log = logging.getLogger(__name__)

_KIND = "warm-pool"
_OVER_QUOTA = "Instances not retained as a result of warmpool resource limits being exceeded"
_RELEASED = "Resource released due to keep alive period expiry"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The pool that a job runs on; ``warm`` says that another job ran there before."""

    pool: str
    warm: bool


class WarmPools:
    """The warm pools of every region. A pool is a row in the store, under the name of the job that
    has it or had it last: ``InUse``, or ``Available`` until it expires.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._timers: dict[Key, threading.Timer] = {}
        self._lock = threading.RLock()
        #: Pools that ended, and whose volumes the engine could not remove.
        self._in_use: set[str] = set()

    def take(self, job: Resource) -> Place | None:
        """Return the pool that ``job`` runs on: one that fits, a new one if it asks for one, or
        None. A job that fits need not ask.
        """
        own = _row_key(job.key)
        with self._lock:
            if (row := self._platform.resources.get(own)) is not None:  # taken up after a restart
                return Place(pool=row.document["pool"], warm=row.document["warm"])
            found = self._fitting(job)
            if found is None and not _keep_alive_s(job.document):
                return None
            pool = found.document["pool"] if found else uuid.uuid4().hex[:12]
            place = Place(pool=pool, warm=found is not None)
            self._write(own, "InUse", {"pool": pool, "warm": place.warm, "fits": _fit(job)})
            if found is not None:
                self._hand_over(found, job.key.name)
            return place

    def keep(self, job: Key, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Keep the pool of a job that ends now; return its WarmPoolStatus, or None without one."""
        period_s = _keep_alive_s(document)
        with self._lock:
            row = self._platform.resources.get(_row_key(job))
            if row is None or not period_s or self._is_over_quota(job, document):
                return None
            self._change(
                row, "Available", {"began": time.time(), "expires": time.time() + period_s}
            )
            self._arm(_row_key(job), period_s)
        return {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0}

    def tell_quota(self, job: Key, document: Mapping[str, Any]) -> None:
        """Say in an ended job's last message that a quota let its pool not be kept, if one did."""
        with self._lock:
            if _keep_alive_s(document) and self._is_over_quota(job, document):
                Record(platform=self._platform, key=job).change(
                    lambda document: _with_last_message(document, _OVER_QUOTA)
                )

    def update(self, job: Key, period_s: int) -> None:
        """Let an available pool last ``period_s`` from its job's end; 0 ends it."""
        with self._lock:
            row = self._platform.resources.get(_row_key(job))
            if row is None or row.status != "Available":
                return
            expires = max(time.time(), row.document["began"] + period_s)
            self._change(row, "Available", {"expires": expires})
            self._arm(row.key, max(0.0, expires - time.time()))

    def release_unless_kept(self, job: Key) -> None:
        """End the pool of a job that ended without keeping it. What containers are left has ended
        by now: volumes of pools that were in use when they ended are removed, too.
        """
        with self._lock:
            for pool in list(self._in_use):
                self._remove_volumes(pool)
            row = self._platform.resources.get(_row_key(job))
            if row is not None and row.status == "InUse":
                self._remove(row)

    def release(self, job: Key) -> None:
        """End the pool of a job that is deleted."""
        with self._lock:
            row = self._platform.resources.get(_row_key(job))
            if row is not None:
                self._remove(row)

    def resume(self, alive: Set[Key]) -> set[str]:
        """Take up the pools that a killed server left; return the ids of all there are.

        One that is in use, but by none of the jobs that are ``alive``, is at its end.
        """
        found = set()
        with self._lock:
            for row in self._platform.resources.unfinished(_KIND, ()):
                if row.status == "Available":
                    self._arm(row.key, max(0.0, row.document["expires"] - time.time()))
                elif replace(row.key, kind=KIND) not in alive:
                    self._platform.resources.delete(row.key)
                    continue
                found.add(row.document["pool"])
        return found

    def shut_down(self) -> None:
        """Let no pool expire any more: the next server goes on with them."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    def _is_over_quota(self, job: Key, document: Mapping[str, Any]) -> bool:
        resources = document["ResourceConfig"]
        instance_type = resources.get("InstanceType")
        quotas = self._platform.settings.quotas
        limit = quotas.get(f"{instance_type} for training warm pool usage")
        if limit is None:
            return False
        kept = (
            json.loads(row.document["fits"])
            for row in self._platform.resources.unfinished(_KIND, ("InUse",))
            if row.key.region == job.region and row.key.name != job.name
        )
        used = sum(
            int(each["InstanceCount"]) for each in kept if each["InstanceType"] == instance_type
        )
        return used + int(resources.get("InstanceCount") or 0) > limit

    def _fitting(self, job: Resource) -> Resource | None:
        wanted = _fit(job)
        return next(
            (
                row
                for row in self._platform.resources.unfinished(_KIND, ("InUse",))
                if row.key.region == job.key.region
                and row.document["fits"] == wanted
                and row.document["expires"] > time.time()
            ),
            None,
        )

    def _hand_over(self, row: Resource, job: str) -> None:
        self._disarm(row.key)
        self._platform.resources.delete(row.key)
        status = {"Status": "Reused", "ReusedByJob": job}
        self._say(row, status, f"Resource reused by training job: {job}")

    def _expire(self, key: Key) -> None:
        with self._lock:
            row = self._platform.resources.get(key)
            if row is None or row.status != "Available":
                return
            if row.document["expires"] > time.time():  # it was given more time meanwhile
                return
            self._remove(row)
            self._say(row, {"Status": "Terminated"}, _RELEASED)

    def _say(self, row: Resource, status: Mapping[str, Any], message: str) -> None:
        """Write into the document of the pool's job what became of the pool."""
        # One that a server took up late had expired before.
        until = min(time.time(), row.document["expires"])
        retained_s = max(0, int(until - row.document["began"]))
        key = replace(row.key, kind=KIND)

        def said(document: Mapping[str, Any]) -> Mapping[str, Any]:
            pool = {**status, "ResourceRetainedBillableTimeInSeconds": retained_s}
            return {
                **_with_last_message(document, message),
                "WarmPoolStatus": pool,
                "LastModifiedTime": epoch_s(time.time()),
            }

        Record(platform=self._platform, key=key).change(said)

    def _remove(self, row: Resource) -> None:
        """End a pool; volumes that the engine cannot remove go when the next job has ended, or the
        server starts next.
        """
        self._disarm(row.key)
        self._platform.resources.delete(row.key)
        self._remove_volumes(row.document["pool"])

    def _remove_volumes(self, pool: str) -> None:
        engine = self._platform.engine
        self._in_use.add(pool)
        try:
            for volume in engine.volumes({**self._platform.labels, POOL_LABEL: pool}):
                engine.remove_volume(volume)
        except EngineError as error:
            _log.warning("warm pool %s: %s", pool, error)
        else:
            self._in_use.discard(pool)

    def _arm(self, key: Key, after_s: float) -> None:
        self._disarm(key)
        timer = threading.Timer(after_s, self._expire, [key])
        timer.daemon = True
        self._timers[key] = timer
        timer.start()

    def _disarm(self, key: Key) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()

    def _write(self, key: Key, status: str, document: Mapping[str, Any]) -> None:
        now = time.time()
        row = Resource(
            key=key, created=now, modified=now, status=status, document=document, request={}
        )
        self._platform.resources.add(row)

    def _change(self, row: Resource, status: str, members: Mapping[str, Any]) -> None:
        self._platform.resources.change(
            row.key,
            lambda now: replace(now, status=status, document={**now.document, **members}),
        )


def _with_last_message(document: Mapping[str, Any], message: str) -> dict[str, Any]:
    past = [dict(each) for each in document["SecondaryStatusTransitions"]]
    past[-1]["StatusMessage"] = message
    return {**document, "SecondaryStatusTransitions": past}


def _row_key(job: Key) -> Key:
    return replace(job, kind=_KIND)


def _keep_alive_s(document: Mapping[str, Any]) -> int:
    return int(document["ResourceConfig"].get("KeepAlivePeriodInSeconds") or 0)


def _fit(job: Resource) -> str:
    """Return what must be the same for a job to run on a pool (the guide: matching jobs)."""
    document = job.document
    resources = document["ResourceConfig"]
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return json.dumps(
        {
            "RoleArn": document["RoleArn"],
            **{name: resources.get(name) for name in members},
            "VpcConfig": document.get("VpcConfig"),
            **{
                name: document[name]
                for name in (
                    "EnableNetworkIsolation",
                    "EnableInterContainerTrafficEncryption",
                    "EnableManagedSpotTraining",
                )
            },
        },
        sort_keys=True,
    )
