"""Logins for base images: added to the user's configuration in a folder of the build's own."""

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as aws
from botocore.stub import Stubber

from sagedock.errors import InvalidRequest, NoCredentials, PushFailed
from sagedock.images.ecr import Login
from sagedock.images.logins import ecr_login, logged_in

HOST = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
LOGIN = Login(host=HOST, user="AWS", password="secret")


def read(environ: Any) -> Any:
    return json.loads((Path(environ["DOCKER_CONFIG"]) / "config.json").read_text())


def test_the_user_s_configuration_goes_on_and_is_not_written(tmp_path: Path) -> None:
    own = tmp_path / ".docker"
    (own / "cli-plugins").mkdir(parents=True)
    text = json.dumps(
        {
            "auths": {"example.com": {"auth": "x"}},
            "credsStore": "desktop",
            "credHelpers": {HOST: "ecr-login", "other": "h"},
            "currentContext": "mine",
        }
    )
    (own / "config.json").write_text(text)
    with logged_in([LOGIN], {"HOME": str(tmp_path), "PATH": "p"}) as environ:
        folder = Path(environ["DOCKER_CONFIG"])
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "config.json").stat().st_mode & 0o777 == 0o600
        assert (folder / "cli-plugins").resolve() == (own / "cli-plugins").resolve()
        assert environ["PATH"] == "p"
        assert read(environ) == {
            "auths": {
                "example.com": {"auth": "x"},
                HOST: {"auth": base64.b64encode(b"AWS:secret").decode()},
            },
            "credsStore": "desktop",
            "credHelpers": {HOST: "", "other": "h"},
            "currentContext": "mine",
        }
    assert not folder.exists()
    assert (own / "config.json").read_text() == text
    assert (own / "cli-plugins").is_dir()


def test_it_is_gone_also_where_the_build_breaks(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        logged_in([LOGIN], {"DOCKER_CONFIG": str(tmp_path / "absent")}) as environ,
    ):
        assert set(read(environ)["auths"]) == {HOST}
        raise KeyboardInterrupt
    assert not Path(environ["DOCKER_CONFIG"]).exists()


def test_without_logins_nothing_is_changed() -> None:
    with logged_in([], {"HOME": "h"}) as environ:
        assert environ == {"HOME": "h"}


def test_a_configuration_that_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with (
        pytest.raises(InvalidRequest, match=r"config\.json: cannot be read as JSON"),
        logged_in([LOGIN], {"DOCKER_CONFIG": str(tmp_path)}),
    ):
        pass


def test_a_login_to_another_account_s_registry() -> None:
    client = boto3.client(
        "ecr", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="y"
    )
    token = base64.b64encode(b"AWS:secret").decode()
    answer = {"authorizationToken": token, "proxyEndpoint": f"https://{HOST}"}
    asked: list[str] = []
    with Stubber(client) as stubber:
        stubber.add_response(
            "get_authorization_token",
            {"authorizationData": [answer]},
            {"registryIds": ["111122223333"]},
        )
        assert ecr_login(HOST, lambda region: asked.append(region) or client) == LOGIN
    assert asked == ["us-west-2"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            aws.ProfileNotFound(profile="nope"),
            r"profile \(nope\) could not be found: set AWS_PROFILE",
        ),
        (aws.UnauthorizedSSOTokenError(), "no credentials .*aws sso login"),
        (aws.SSOTokenLoadError(error_msg="gone"), "no credentials .*gone"),
        (aws.CredentialRetrievalError(provider="p", error_msg="m"), "no credentials .*m"),
        (aws.LoginRefreshRequired(), "no credentials"),
        (aws.ConfigParseError(path="/c"), "no credentials .*/c"),
        (aws.ConnectTimeoutError(endpoint_url="u"), "cannot be reached .*u"),
        (aws.ReadTimeoutError(endpoint_url="u"), "cannot be reached .*u"),
        (aws.SSLError(endpoint_url="u", error="e"), "cannot be reached .*u"),
        (aws.ProxyConnectionError(proxy_url="u"), "cannot be reached .*u"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("made", [False, True], ids=["making", "asking"])
def test_what_keeps_one_from_ecr_is_told(error: Exception, words: str, made: bool) -> None:
    class Client:
        def get_authorization_token(self, **_: object) -> None:
            raise error

    def client(_: str) -> Client:
        if made:
            return Client()
        raise error

    with pytest.raises((NoCredentials, PushFailed), match=words) as caught:
        ecr_login(HOST, client)
    assert "--target" not in str(caught.value)


def test_who_may_not_log_in_is_told_of_no_push() -> None:
    client = boto3.client(
        "ecr", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("get_authorization_token", "AccessDeniedException", "no")
        with pytest.raises(PushFailed, match="ecr:GetAuthorizationToken: ask for it") as caught:
            ecr_login(HOST, lambda _: client)
    assert "push" not in str(caught.value)


def test_a_region_that_is_none_is_told() -> None:
    def client(region: str) -> None:
        raise aws.InvalidRegionError(region_name=region)

    with pytest.raises(InvalidRequest, match="name one like us-west-2"):
        ecr_login(HOST, client)


@pytest.mark.parametrize(
    "host",
    [
        *("", "docker.io", f"https://{HOST}", f"{HOST}/repository"),
        "111122223333.dkr.ecr.mars.amazonaws.com",
    ],
)
def test_a_host_that_is_none_of_ecr_s_is_refused(host: str) -> None:
    with pytest.raises(InvalidRequest, match="--login-registry"):
        ecr_login(host, lambda _: None)
