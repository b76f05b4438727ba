"""The variables for other clients, on a machine behind a proxy and on one that is not."""

from pathlib import Path

import pytest
import yaml

from sagedock.local.endpoints import SDK_CONFIG, client_variables, write_sdk_config

URL = "http://127.0.0.1:4567"
PROXY = "http://proxy.example:3128"


def no_proxy(**environ: str) -> set[str | None]:
    variables = client_variables(URL, region="us-west-2", home=Path("/h"), environ=environ)
    return {variables.get("NO_PROXY"), variables.get("no_proxy")}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_the_server_is_not_asked_for_through_a_proxy(name: str) -> None:
    assert no_proxy(**{name: PROXY}) == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_is_excepted_from_the_proxy_stays_so(name: str) -> None:
    assert no_proxy(HTTP_PROXY=PROXY, **{name: "a.example, .b.example"}) == {
        "a.example,.b.example,127.0.0.1"
    }


def test_the_server_is_excepted_once() -> None:
    assert no_proxy(HTTP_PROXY=PROXY, NO_PROXY="127.0.0.1") == {"127.0.0.1"}


@pytest.mark.parametrize(
    "environ", [{}, {"HTTP_PROXY": ""}, {"NO_PROXY": "a.example"}, {"HTTPS_PROXY": PROXY}]
)
def test_without_a_proxy_nothing_is_set(environ: dict[str, str]) -> None:
    assert no_proxy(**environ) == {None}


def test_everything_excepted_stays_everything() -> None:
    assert no_proxy(HTTP_PROXY=PROXY, NO_PROXY="*") == {None}


def test_the_sdks_configuration_names_a_bucket_and_a_role_and_sends_nothing(tmp_path: Path) -> None:
    write_sdk_config(tmp_path, region="eu-west-1", account="123456789012")
    config = yaml.safe_load((tmp_path / SDK_CONFIG).read_text())["SageMaker"]
    assert config["TrainingJob"] == {"RoleArn": "arn:aws:iam::123456789012:role/sagedock"}
    modules = config["PythonSDK"]["Modules"]
    assert modules["Session"] == {"DefaultS3Bucket": "sagemaker-eu-west-1-123456789012"}
    assert modules["TelemetryOptOut"] is True
