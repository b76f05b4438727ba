"""Row 50 and section 7 of the fidelity corpus: what is found missing once a job runs, or ends."""

from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.errors import ImageNotFound
from sagedock.testing import FakeEngine
from tests.conftest import IMAGE, Local, succeed


def test_row_50_an_image_that_went_after_the_job_was_created(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, calls = local.engine.image, []

    def once(reference: str) -> Any:
        calls.append(reference)
        if len(calls) > 1:
            raise ImageNotFound(reference)
        return found(reference)

    monkeypatch.setattr(local.engine, "image", once)
    job = local.run(succeed)
    assert job["FailureReason"] == (
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
        "permissions are incorrect."
    )
    assert local.statuses(job)[-2:] == [
        ("Downloading", "Downloading the training image"),
        ("Failed", "Training job failed"),
    ]


def test_section_7_no_quota_for_a_warm_pool(tmp_path: Path) -> None:
    quotas = {"ml.m5.large for training warm pool usage": 1}
    engine = FakeEngine(succeed, images=[IMAGE])
    resources = {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 1,
        "KeepAlivePeriodInSeconds": 600,
    }
    with LocalSageMaker(home=tmp_path / "home", engine=engine, quotas=quotas) as server:
        local = Local(server=server, engine=engine)
        kept = local.run(TrainingJobName="kept", ResourceConfig=resources)
        # Of another size, so that it does not run on the first one's pool.
        larger = {**resources, "VolumeSizeInGB": 2}
        sagemaker = local.client("sagemaker")
        local.run(TrainingJobName="over", ResourceConfig=larger)
        over = local.until(
            "over", lambda job: local.statuses(job)[-1] != ("Completed", "Training job completed")
        )
        listed = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")
    assert local.statuses(kept)[-1] == ("Completed", "Resource retained for reuse")
    assert local.statuses(over)[-1] == (
        "Completed",
        "Instances not retained as a result of warmpool resource limits being exceeded",
    )
    assert [each["TrainingJobName"] for each in listed["TrainingJobSummaries"]] == ["kept"]
