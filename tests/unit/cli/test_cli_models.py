"""``sagedock models``: groups and versions, as tables and as JSON."""

import json

import pytest

from sagedock.cli import main
from tests.conftest import Local
from tests.unit.local.registry_calls import create_group, put_data, register


@pytest.fixture
def registry(local: Local, monkeypatch: pytest.MonkeyPatch) -> Local:
    for name, value in local.server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SAGEDOCK_TARGET", raising=False)
    return local


def test_groups_and_versions_are_listed(
    registry: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0
    assert capsys.readouterr().out == "no model package groups\n"
    put_data(registry)
    create_group(registry, "Empty")
    create_group(registry, "Models", ModelPackageGroupDescription="all")
    assert main(["models", "Models"]) == 0
    assert capsys.readouterr().out == "no versions\n"
    register(registry, ModelPackageDescription="first", ModelApprovalStatus="Approved")
    register(registry)
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["group", "newest", "approval", "created", "description"]
    assert lines[1].split()[:3] == ["Models", "2", "PendingManualApproval"]
    assert lines[2].split()[0] == "Empty"
    assert main(["models", "Models", "--json"]) == 0
    second, first = json.loads(capsys.readouterr().out)
    assert (second["version"], second["approval"]) == (2, "PendingManualApproval")
    assert (first["version"], first["approval"], first["description"]) == (
        *(1, "Approved", "first"),
    )
    assert first["image"].endswith("/probe:1")


def test_an_unknown_group_is_told(registry: Local, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "none"]) == 2
    assert "ModelPackageGroup" in capsys.readouterr().err
