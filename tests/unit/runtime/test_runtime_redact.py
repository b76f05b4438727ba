"""Secrets do not reach the log; ordinary hyperparameters do."""

import pytest

from sagedock.runtime.redact import hide_arguments, hide_nested, secret_values, shown, shown_text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "abc"),
        ("apiKey", "abc"),
        ("HF_TOKEN", "abc"),
        ("db_password", "1234"),
        ("client-secret", "abc"),
        ("aws_session_token", "abc"),
        ("AWS_SECRET_ACCESS_KEY", "abc"),
        ("aws_anything", "abc"),
        ("note", "AKIAIOSFODNN7EXAMPLE"),
        ("note", "ghp_" + "a" * 36),
        ("note", "hf_" + "A" * 30),
        ("note", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
    ],
)
def test_secret(name: str, value: str) -> None:
    assert value not in shown(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "3"),
        ("max_tokens", "512"),
        ("num_key_value_heads", "8"),
        ("tokenizer", "bert-base-uncased"),
        ("author", "me"),
        ("AWS_REGION", "eu-west-1"),
        ("aws_default_region", "eu-west-1"),
        ("model", "s3://bucket/model.tar.gz"),
        ("task", "sk-learn"),
    ],
)
def test_no_secret(name: str, value: str) -> None:
    assert shown(name, value) == value


def test_password_in_a_url() -> None:
    text = shown_text("fetch https://aws:eyJtoken@host/simple/ failed")
    assert text == "fetch https://***@host/simple/ failed"


def test_arguments_are_hidden_by_the_option_before_them() -> None:
    arguments = ["--api_key", "v1", "--epochs", "3", "--token=v2", "-k", "v3", "--x", "-1"]
    assert hide_arguments(arguments) == [
        *("--api_key", "***", "--epochs", "3", "--token=***", "-k", "v3", "--x", "-1")
    ]


def test_secret_inside_an_object() -> None:
    value = {"lr": 0.1, "service": {"api_key": "abcdefgh", "port": 80}}
    assert hide_nested("config", value) == {"lr": 0.1, "service": {"api_key": "***", "port": 80}}
    assert secret_values({"config": value}) == {"abcdefgh"}


def test_short_values_are_not_searched_for() -> None:
    assert secret_values({"password": "1", "api_key": "long-enough"}) == {"long-enough"}
