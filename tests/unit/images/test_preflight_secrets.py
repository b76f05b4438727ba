"""Secrets are known by what they look like, told by place and kind, and never repeated."""

import pytest

from sagedock.images.preflight.checks.leaks import leak_rows
from sagedock.images.preflight.secrets import is_of_a_package, secrets_in
from tests.unit.images.made_images import facts

# Put together here, so that no scanner takes this file for a leak.
BODY = b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 6
BEGIN, END = b"-----BEGIN " + b"PRIVATE KEY-----", b"-----END " + b"PRIVATE KEY-----"
KEY = BEGIN + b"\n" + BODY[:64] + b"\n" + BODY[64:128] + b"\n" + END
ENCRYPTED = (
    b"-----BEGIN RSA " + b"PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\n" + BODY
)
IN_JSON = b'{"private_key": "' + KEY.replace(b"\n", b"\\n") + b'"}'
ACCESS = b"AKIA" + b"Q3EGZ7KLMNOP2345"
SECRET = b"wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz"
INDEX = b"https://user:" + b"hunter2@packages.example.com/simple"


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("srv/id_rsa", KEY, "a private key"),
        ("srv/id_rsa", ENCRYPTED, "a private key"),
        ("srv/account.json", IN_JSON, "a private key"),
        ("srv/program", b"\x7fELF\0" + KEY, "a private key"),
        ("srv/settings.py", b"KEY = '" + ACCESS + b"'", "an AWS access key"),
        ("x/.aws/credentials", b"aws_secret_access_key = " + SECRET, "an AWS secret access key"),
        ("x/env.sh", b"export AWS_SECRET_ACCESS_KEY=" + SECRET, "an AWS secret access key"),
        ("etc/pip.conf", b"[global]\nindex-url = " + INDEX, "credentials in a URL"),
        ("x/requirements.txt", b"--index-url " + INDEX, "credentials in a URL"),
        ("x/.netrc", b"machine h login u password " + b"pppp", "a password for a host"),
        ("x/.docker/config.json", b'{"auths": {"r": {"auth": "dTpwcHBwcHA="}}}', "credentials of"),
        ("x/.npmrc", b"//r/:_authToken=" + b"npm_aaaaaaaaaa", "a token of a registry"),
        ("x/.pypirc", b"[x]\nusername: u\npassword: hunter2", "a password of a package index"),
        ("x/notes", b"ghp_" + b"a1" * 18, "a GitHub token"),
        ("x/notes", b"hf_" + b"aB" * 17, "a Hugging Face token"),
    ],
)
def test_what_is_known(path, content, what):
    (found,) = secrets_in(path, content)
    assert found.startswith(what)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("x/a.py", b'if b"' + BEGIN + b'" in text: ...'),
        ("x/pub.pem", KEY.replace(b"PRIVATE", b"PUBLIC")),
        ("x/doc", b"AKIAIOSFODNN7" + b"EXAMPLE"),
        ("x/doc", b"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + b"EXAMPLEKEY"),
        ("x/pip.conf", b"index-url = https://packages.example.com/simple"),
        ("x/pip.conf", b"index-url = https://user:${PASSWORD}@packages.example.com/simple"),
        ("x/readme", b"such as https://user:password@host"),
        ("x/base64", b"zzAKIAQ3EGZ7KLMNOP2345zzzz"),
        ("x/.npmrc", b"//r/:_authToken=${NPM_TOKEN}"),
    ],
)
def test_what_only_looks_like_it(path, content):
    assert list(secrets_in(path, content)) == []


@pytest.mark.parametrize(
    ("path", "its"),
    [
        ("opt/venv/lib/python3.11/site-packages/x/tests/key.pem", True),
        ("usr/lib/x86_64-linux-gnu/libgnutls.so.30", True),
        ("usr/share/doc/x/example.key", True),
        ("usr/lib/mine.key", False),
        ("srv/key.pem", False),
    ],
)
def test_which_files_came_with_packages(path, its):
    assert is_of_a_package(path) is its


def told(found):
    (row,) = leak_rows(found)
    return row


def test_a_secret_that_a_later_layer_deletes_is_told_with_its_layer():
    found = facts({}, {"srv/key.pem": KEY, "etc/pip.conf": INDEX}, {"srv/.wh.key.pem": b""})
    row = told(found)
    assert row.verdict == "fails"
    assert "a private key in /srv/key.pem (layer 2 of 3, deleted or replaced later)" in row.found
    assert "credentials in a URL in /etc/pip.conf (layer 2 of 3)" in row.found
    assert "RUN --mount=type=secret" in row.remedy


def test_a_secret_that_is_replaced_later_is_told():
    row = told(facts({}, {"srv/key.pem": KEY}, {"srv/key.pem": b"nothing"}))
    assert "(layer 2 of 3, deleted or replaced later)" in row.found


def test_secrets_of_variables_labels_and_history():
    row = told(
        facts(
            settings={
                "Env": [f"AWS_SECRET_ACCESS_KEY={SECRET.decode()}", "PATH=/bin"],
                "Labels": {"built.by": ACCESS.decode()},
            },
            history=[
                {"created_by": "RUN x"},
                {"created_by": f"RUN pip install -i {INDEX.decode()}"},
            ],
        )
    )
    assert "an AWS secret access key in the variable AWS_SECRET_ACCESS_KEY" in row.found
    assert "an AWS access key in the label built.by" in row.found
    assert "credentials in a URL in the history, step 2" in row.found


def test_no_secret_is_ever_repeated():
    everything = KEY + ACCESS + b"\naws_secret_access_key=" + SECRET + b"\n" + INDEX
    row = told(
        facts(
            {f"srv/{number}/pip.conf": everything for number in range(20)},
            settings={"Env": [f"X={everything.decode()}"]},
        )
    )
    assert "more" in row.found
    for secret in (BODY[:20], ACCESS, SECRET, b"hunter2"):
        assert secret.decode() not in repr(row)


def test_keys_of_packages_are_counted_and_do_not_fail():
    row = told(facts({"usr/lib/python3/site-packages/x/key.pem": KEY}))
    assert (row.verdict, row.remedy) == ("ok", "")
    assert row.found == "none; 1 that installed packages bring, for their own tests"


def test_a_text_that_was_not_searched_to_its_end_is_told():
    row = told(facts({"srv/large.csv": b"a,b\n" * (5 * 2**18)}))
    assert row.found == "none; of 1 large files only the beginning was searched"
