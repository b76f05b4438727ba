"""A whole preflight: what is asked for, what the image is made for, rows with their sources."""

import re
from dataclasses import asdict

import pytest

from sagedock.errors import ImageNotFound, InvalidRequest
from sagedock.images.preflight import Verdict, preflight
from sagedock.images.preflight.target import targets
from sagedock.testing import FakeEngine
from tests.unit.images.made_images import (
    SERVE,
    TRAIN,
    USUAL,
    dist_info,
    fatbin,
    layer,
    library,
    saved,
    torch,
)

P4D, G5, M5 = "ml.p4d.24xlarge", "ml.g5.xlarge", "ml.m5.xlarge"
#: An image with something for every check.
FULL = {
    **USUAL,
    "usr/bin/train": TRAIN,
    "opt/ml/code/x.py": b"x",
    "opt/ops.so": library(fatbin("sm_90"), fatbin("compute_70")),
    "usr/local/cuda-11.8/version.json": b'{"cuda": {"version": "11.8.0"}}',
    "usr/local/cuda-11.8/compat/libcuda.so.520.61.05": b"x",
    "usr/lib/libcuda.so.535.54.03": b"x",
    "usr/lib/libcublas.so.11": b"x",
    **torch("2.4.1", "12.4"),
    **dist_info("torch_neuronx", "1.0"),
}


def engine(*layers, **changes):
    made = FakeEngine(None, ["made:1"])
    made.archive_of_images = saved(*layers, **changes)
    return made


def made(files=None):
    return engine(layer({**USUAL, "usr/bin/train": TRAIN, **(files or {})}))


def test_rows_of_the_image_come_once_and_each_type_has_its_own():
    report = preflight(made(), "made:1", [M5, G5, M5])
    types = [row.instance_type for row in report.rows]
    assert list(dict.fromkeys(types)) == [None, M5, G5]
    whole = [row.check for row in report.rows if row.instance_type is None]
    assert len(whole) == len(set(whole))
    assert (report.use, report.image, report.id) == (
        "training",
        "made:1",
        engine().image("made:1").id,
    )


def test_every_row_says_what_was_found_what_is_needed_and_where_that_is_written():
    report = preflight(
        engine(layer(FULL), layer({"srv/.netrc": b"machine h login u password ppp", "../x": b""})),
        "made:1",
        [P4D, "ml.trn1.32xlarge", M5, "ml.g6.xlarge"],
        count=2,
        use="training",
    )
    assert {row.verdict for row in report.rows} == set(Verdict)
    for row in report.rows:
        assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", row.source), row
        assert row.found and row.needed, row
        assert row.remedy or row.verdict in ("ok", "cannot say"), row
    assert report.fails


def test_nothing_fails_where_all_is_well():
    report = preflight(made(), "made:1", [M5])
    assert not report.fails
    assert {row.verdict for row in report.rows} <= {"ok", "warns", "cannot say"}


def test_an_image_that_only_serves_is_judged_as_such():
    serves = engine(layer({**USUAL, "usr/bin/serve": SERVE}))
    assert preflight(serves, "made:1", [M5]).use == "serving"
    assert preflight(serves, "made:1", [M5], use="training").fails
    both = made({"usr/bin/serve": SERVE})
    assert preflight(both, "made:1", [M5]).use == "training"


@pytest.mark.parametrize(
    ("instance_type", "use", "remedy"),
    [
        ("ml.c7g.xlarge", "training", "trains on no Graviton"),
        ("ml.inf2.xlarge", "training", "--for"),
        ("ml.c7g.xlarge", "serving", ""),
    ],
)
def test_types_that_sagemaker_has_for_another_use(instance_type, use, remedy):
    report = preflight(made(), "made:1", [instance_type], use=use)
    (row,) = (row for row in report.rows if row.check == "instance")
    assert row.verdict == ("fails" if remedy else "ok")
    assert remedy in row.remedy


@pytest.mark.parametrize(
    ("built_for", "instance_type", "verdict"),
    [
        ("amd64", M5, "ok"),
        ("arm64", M5, "fails"),
        ("amd64", "ml.c7g.xlarge", "fails"),
        ("arm64", "ml.c7g.xlarge", "ok"),
        ("amd64", "ml.p6e-gb200.36xlarge", "fails"),
    ],
)
def test_the_processor(built_for, instance_type, verdict):
    made_for = engine(layer(USUAL), architecture=built_for)
    report = preflight(made_for, "made:1", [instance_type], use="serving")
    (row,) = (row for row in report.rows if row.check == "architecture")
    assert (row.verdict, row.found) == (verdict, built_for)


def test_all_that_is_wrong_with_what_is_asked_for_is_told_before_anything_is_read():
    class Unread(FakeEngine):
        def saved(self, image):
            raise AssertionError("read")

    with pytest.raises(InvalidRequest) as refused:
        preflight(
            Unread(None, ["made:1"]), "made:1", ["ml.p4d.24xlrge", "p4d", M5], count=0, driver=-1
        )
    first, second, count, driver = refused.value.problems
    assert "'ml.p4d.24xlrge' is no instance type" in first
    assert "nearest are ml.p4d.24xlarge" in first
    assert "'p4d'" in second
    assert "--instance-count" in count
    assert "--driver" in driver
    with pytest.raises(InvalidRequest, match="none is given"):
        preflight(made(), "made:1", [])
    with pytest.raises(ImageNotFound, match="has no image other:1"):
        preflight(made(), "other:1", [M5])


def test_a_name_far_from_all_is_told_what_types_look_like():
    with pytest.raises(InvalidRequest, match=r"they look like ml\.p4d\.24xlarge"):
        targets(["???"], "training", count=1, driver=None)


def test_a_report_is_plain_data():
    report = asdict(preflight(made(), "made:1", [M5]))
    assert set(report["rows"][0]) == {
        *("check", "verdict", "found", "needed", "source", "remedy", "instance_type"),
    }
