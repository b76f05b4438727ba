"""How SageMaker starts an image: its program, user, labels, manifest, and what lies in /opt/ml."""

import pytest

from sagedock.images.preflight.checks.start import start_rows
from tests.unit.images.made_images import SERVE, SHELL, TRAIN, facts, image, rows

PYTHON = ["python3", "/srv/app.py"]
BY_PYTHON = {"srv/app.py": b"x"}
OK, FAILS = ("training", "ok"), ("training", "fails")


def started(files=None, use="training", **settings):
    return rows(start_rows(image(), facts(files, settings=settings), use))


@pytest.mark.parametrize(
    ("settings", "files", "use", "verdict", "told"),
    [
        ({}, {}, "training", "ok", "`train`: /usr/bin/train"),
        ({}, {"usr/bin/train": "/opt/train", "opt/train": TRAIN}, "training", "ok", "/opt/train"),
        ({"Entrypoint": ["/usr/bin/env", "--"]}, {}, "training", "ok", "/usr/bin/train"),
        ({"Entrypoint": ["env", "A=1"]}, {}, "training", "ok", "/usr/bin/train"),
        ({"Entrypoint": ["env", "-i"]}, {}, "training", "cannot say", "`env -i train`"),
        ({"Entrypoint": PYTHON}, BY_PYTHON, "training", "ok", "`python3 /srv/app.py train`"),
        ({"Entrypoint": ["/srv/none"]}, {}, "training", "fails", "there is no /srv/none on PATH"),
        ({}, {}, "serving", "fails", "there is no serve on PATH"),
        ({}, {"usr/bin/serve": SERVE}, "serving", "ok", "`serve`: /usr/bin/serve"),
        ({}, {"usr/bin/serve": SERVE}, "transform", "ok", "/usr/bin/serve"),
        ({}, {"usr/bin/train": (b"x", 0o644)}, "training", "fails", "is not executable"),
        ({}, {"usr/bin/train": (b"", 0o755)}, "training", "fails", "is empty"),
        ({}, {"usr/bin/train": (b"#!/bin/sh\r\n", 0o755)}, "training", "fails", "Windows"),
        ({}, {"usr/bin/train": (b"#!/bin/zsh\n", 0o755)}, "training", "fails", "needs /bin/zsh"),
        (
            {},
            {"usr/bin/train": (b"#!/usr/bin/env perl\n", 0o755)},
            *("training", "fails", "needs perl"),
        ),
        ({}, {"usr/bin/train": (b"#!/usr/bin/env python3\n", 0o755)}, "training", "ok", "train"),
        ({"Entrypoint": ["sh", "-c", "train"]}, {}, "training", "warns", "shell form"),
        ({"Entrypoint": ["tini", "--"]}, {"bin/tini": SHELL}, "training", "warns", "`tini --"),
        ({"Cmd": PYTHON}, BY_PYTHON, "processing", "ok", "`python3 /srv/app.py`"),
        ({"Cmd": None}, {}, "processing", "fails", "neither ENTRYPOINT nor CMD"),
        ({"Entrypoint": ["./go"], "WorkingDir": "/srv"}, {"srv/go": TRAIN}, *OK, "/srv/go"),
        ({"Entrypoint": ["./go"]}, {"srv/go": TRAIN}, "training", "fails", "there is no ./go"),
        ({}, {"bin/train/x": b"x", "usr/bin/train": (b"", 0o644)}, *FAILS, "not executable"),
        ({"Env": ["PATH=/opt/bin"]}, {}, "training", "fails", "there is no train on PATH"),
    ],
)
def test_the_program_that_is_started(settings, files, use, verdict, told):
    row = started(files, use, **settings)["entrypoint"]
    assert (row.verdict, told in row.found) == (verdict, True), row.found
    assert bool(row.remedy) == (verdict in ("fails", "warns"))


def test_what_the_sdk_v3_needs():
    assert started()["SDK v3"].verdict == "ok"
    row = started(Env=["PATH=/usr/bin"])["SDK v3"]
    assert (row.verdict, row.found) == ("warns", "no bash")
    assert "SDK v3" not in started(use="serving")


@pytest.mark.parametrize(
    ("user", "verdict"),
    [("", "ok"), ("root", "ok"), ("0:0", "ok"), ("app", "warns"), ("1000", "warns")],
)
def test_the_user(user, verdict):
    assert started(User=user)["user"].verdict == verdict


def test_what_lies_in_opt_ml_is_warned_of():
    row = started({"opt/ml/code/train.py": b"x"})["/opt/ml"]
    assert row.verdict == "warns"
    assert "1 files: /opt/ml/code/train.py" in row.found
    assert "the training toolkit ignores a job's source" in row.remedy
    assert "toolkit" not in started({"opt/ml/model/x": b"x"})["/opt/ml"].remedy
    assert "/opt/ml" not in started({"opt/mlflow/x": b"x"})


@pytest.mark.parametrize(("value", "verdict"), [("true", "ok"), ("True", "fails"), ("1", "fails")])
def test_labels_of_capabilities_are_true_or_nothing(value, verdict):
    name = "com.amazonaws.sagemaker.capabilities.multi-models"
    row = started({"usr/bin/serve": SERVE}, "serving", Labels={name: value})["labels"]
    assert row.verdict == verdict
    assert f"{name}={value}" in row.found


@pytest.mark.parametrize(
    ("media_type", "verdict"),
    [
        ("application/vnd.oci.image.index.v1+json", "fails"),
        ("application/vnd.docker.distribution.manifest.v2+json", "ok"),
    ],
)
def test_the_manifest_that_create_model_takes(media_type, verdict):
    made, found = image(media_type=media_type), facts()
    assert rows(start_rows(made, found, "serving"))["manifest"].verdict == verdict
    assert "manifest" not in rows(start_rows(made, found, "training"))
    assert "manifest" not in rows(start_rows(image(), found, "serving"))
