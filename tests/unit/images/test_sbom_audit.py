"""Audits against a service on this machine that answers well, wrongly, by half, slowly or never."""

import datetime
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from sagedock.images.allowed import Allowed
from sagedock.images.sbom import osv as asking
from sagedock.images.sbom.audit import Audit, SourceRow, audit
from sagedock.images.sbom.making import Sbom
from sagedock.images.sbom.osv import Osv
from tests.unit.images.answering import Answer, Asked, answering
from tests.unit.images.sbom_images import BOOKWORM, SITE, deb, dist, jar, sbom_of, status

TODAY = datetime.date(2026, 11, 30)
IMAGE = {
    **dist("Old_Numpy", "1.0+cpu"),
    **dist("fine", "2.0"),
    **status(deb("libssl3", "3.0.20-1", "Source: openssl (3.0.20)")),
    "opt/x.jar": jar(("io.netty", "netty", "4.1")),
}
ADVISORY = {
    "id": "PYSEC-1",
    "aliases": ["CVE-2026-0001"],
    "summary": "It \x1b[31mbreaks",
    "affected": [
        {
            "package": {"name": "old-numpy", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "GIT", "events": [{"fixed": "abc"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]},
            ],
        },
        {
            "package": {"name": "another"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "7"}]}],
        },
    ],
}


def answer_of(known: dict[tuple[str, str, str], list[str]]) -> Callable[[Asked], Answer]:
    """Return a service that knows these vulnerabilities, and ADVISORY about PYSEC-1."""

    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            found = asked.path == "/v1/vulns/PYSEC-1"
            return Answer(pieces=(json.dumps(ADVISORY).encode(),)) if found else Answer(404)
        assert asked.path == "/v1/querybatch"
        return results(
            {"vulns": [{"id": each, "modified": "2026-01-01T00:00:00Z"} for each in ids]}
            if (ids := known.get(key(query)))
            else {}
            for query in queries(asked)
        )

    return answer


def queries(asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked.body)["queries"]
    return found


def key(query: dict[str, Any]) -> tuple[str, str, str]:
    return query["package"]["ecosystem"], query["package"]["name"], query["version"]


def results(each: Any) -> Answer:
    return Answer(pieces=(json.dumps({"results": list(each)}).encode(),))


def audited(
    answer: Callable[[Asked], Answer],
    *sources: Any,
    sbom: Sbom | None = None,
    timeout_s: float = 60,
    allowed: Sequence[Allowed] = (),
) -> Audit:
    with answering(answer) as host:
        return audit(
            sbom or sbom_of(IMAGE),
            Osv(f"http://{host}", timeout_s=timeout_s),
            sources=sources or ("python",),
            allowed=allowed,
            today=TODAY,
        )


def row(found: Audit, source: str = "python") -> SourceRow:
    (one,) = [each for each in found.rows if each.source == source]
    return one


OLD = ("PyPI", "old-numpy", "1.0")


def test_what_is_clean_passes_and_what_was_not_asked_is_told() -> None:
    found = audited(answer_of({}))
    assert [(each.source, each.packages, each.verdict) for each in found.rows] == [
        ("python", 2, "clean"),
        ("debian", 1, "not asked"),
        ("java", 1, "not asked"),
    ]
    assert (found.vulnerable, found.not_audited, found.findings) == (False, False, ())


def test_what_is_known_is_found() -> None:
    found = audited(answer_of({OLD: ["PYSEC-1", "PYSEC-2"]}))
    assert found.vulnerable
    first, second = found.findings
    assert (first.package, first.version, first.vulnerability) == (
        "Old_Numpy",
        "1.0+cpu",
        "PYSEC-1",
    )
    assert (first.aliases, first.fixed) == (("CVE-2026-0001",), ("1.1",))
    assert first.summary == "It [31mbreaks"
    assert first.path == f"/{SITE}/Old_Numpy-1.0+cpu.dist-info"
    # Nothing could be learned of the other one: it is a finding all the same.
    assert (second.vulnerability, second.summary, second.fixed) == ("PYSEC-2", "", ())


def test_each_source_is_asked_in_its_own_words() -> None:
    known = {
        ("Debian:12", "openssl", "3.0.20"): ["DSA-1"],
        ("Maven", "io.netty:netty", "4.1"): ["GHSA-1"],
    }
    found = audited(answer_of(known), "python", "debian", "java")
    assert [(each.source, each.vulnerability) for each in found.findings] == [
        ("debian", "DSA-1"),
        ("java", "GHSA-1"),
    ]
    assert [each.verdict for each in found.rows] == ["clean", "vulnerable", "vulnerable"]


def test_what_is_let_pass_until_a_day() -> None:
    def allowed(expires: datetime.date) -> list[Allowed]:
        return [Allowed(finding="CVE-2026-0001", reason="never run", expires=expires)]

    known = answer_of({OLD: ["PYSEC-1"]})
    passes = audited(known, allowed=allowed(TODAY))
    assert (passes.vulnerable, passes.findings[0].allowed) == (False, "never run")
    assert audited(known, allowed=allowed(TODAY - datetime.timedelta(days=1))).vulnerable


def test_an_advisory_that_was_withdrawn_is_no_finding() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(pieces=(b'{"id": "PYSEC-1", "withdrawn": "2026-01-01T00:00:00Z"}',))
        return answer_of({OLD: ["PYSEC-1"]})(asked)

    assert audited(answer).findings == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Answer(500), "answers 500"),
        (Answer(404), "answers 404"),
        (Answer(pieces=(b"<html>",)), "answers no JSON"),
        (Answer(pieces=(b"[]",)), "what OSV's API does not have"),
        (Answer(pieces=(b"{}",)), "does not answer each of 2 queries"),
        (Answer(pieces=(b'{"results": [{}]}',)), "does not answer each of 2 queries"),
        (Answer(pieces=(b'{"results": [{}, 1]}',)), "what OSV's API does not have"),
        (Answer(pieces=(b'{"results": [{}, {"vulns": [{}]}]}',)), "what OSV's API does not have"),
        (
            Answer(pieces=(b'{"results"', b": [{}"), headers={"content-length": "1000"}),
            "v1/querybatch",
        ),
    ],
)
def test_half_an_answer_is_no_pass(said: Answer, words: str) -> None:
    found = audited(lambda _: said)
    assert (row(found).verdict, found.not_audited, found.vulnerable) == ("not audited", True, False)
    assert words in row(found).reason
    assert row(found).unanswered >= 1


def test_what_was_found_counts_also_where_half_is_missing() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(503)
        return results(
            {"vulns": [{"id": "PYSEC-9"}]} if key(each) == OLD else 1 for each in queries(asked)
        )

    found = audited(answer)
    assert (row(found).verdict, row(found).unanswered) == ("vulnerable", 1)
    assert (found.vulnerable, found.not_audited) == (True, True)


def test_nobody_there_is_no_pass() -> None:
    found = audit(sbom_of(IMAGE), Osv("http://127.0.0.1:1", timeout_s=60), today=TODAY)
    assert (row(found).verdict, row(found).unanswered) == ("not audited", 2)
    assert "127.0.0.1" in row(found).reason


@pytest.mark.parametrize(
    "said", [Answer(500), Answer(pieces=(b"[]",)), Answer(pieces=(b"{}",)), Answer(pieces=(b"<",))]
)
def test_a_password_in_the_address_is_sent_and_never_told(said: Answer) -> None:
    asked: list[Asked] = []

    def answer(each: Asked) -> Answer:
        asked.append(each)
        return said

    with answering(answer) as host:
        osv = Osv(f"http://me:s3cret@{host}", timeout_s=60)
        found = audit(sbom_of(IMAGE), osv, today=TODAY)
    assert asked[0].headers["Authorization"] == f"Basic {b64encode(b'me:s3cret').decode()}"
    assert host in row(found).reason
    assert "me:" not in row(found).reason
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    "url", ["http://me:s3cret@127.0.0.1:1", "http://me:s3/cret@host", "https://me:s3cret@[bad"]
)
@pytest.mark.parametrize("timeout_s", [60.0, 0.0])
def test_a_password_is_not_told_of_an_address_where_nobody_is(url: str, timeout_s: float) -> None:
    found = audit(sbom_of(IMAGE), Osv(url, timeout_s=timeout_s), today=TODAY)
    assert found.not_audited
    assert "cret" not in repr(found)


def test_certificates_that_are_not_there_are_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    found = audit(sbom_of(IMAGE), Osv("https://127.0.0.1:1", timeout_s=60), today=TODAY)
    assert "/nowhere/ca.pem" in row(found).reason
    assert found.not_audited


def test_pages_are_read_to_their_end() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer(404)
        pages = []
        for query in queries(asked):
            number = int(query.get("page_token", "0"))
            if query["package"]["name"] == "fine":
                assert number == 0  # answered wholly: not asked again
                pages.append({})
                continue
            more = {"next_page_token": str(number + 1)} if number < 2 else {}
            pages.append({"vulns": [{"id": f"V-{number}"}], **more})
        return results(pages)

    found = audited(answer)
    assert [each.vulnerability for each in found.findings] == ["V-0", "V-1", "V-2"]
    assert not found.not_audited


def test_pages_without_an_end_are_no_pass() -> None:
    found = audited(lambda asked: results({"next_page_token": "again"} for _ in queries(asked)))
    assert "has more than 50 pages" in row(found).reason
    assert found.not_audited


def test_many_packages_are_asked_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_BATCH", 2)
    sizes: list[int] = []

    def answer(asked: Asked) -> Answer:
        sizes.append(len(queries(asked)))
        return Answer(500) if len(sizes) == 2 else results({} for _ in queries(asked))

    image = {name: text for number in range(5) for name, text in dist(f"d{number}", "1").items()}
    found = audited(answer, sbom=sbom_of(image))
    assert sizes == [2, 2, 1]
    assert (row(found).unanswered, row(found).packages) == (2, 5)
    assert found.not_audited


def test_one_that_is_slow_is_given_up() -> None:
    def drip() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b" "

    began = time.monotonic()
    found = audited(lambda _: Answer(pieces=drip()), timeout_s=0.5)
    assert time.monotonic() - began < 30
    assert row(found).verdict == "not audited"
    assert "did not answer all within 0.5 s" in row(found).reason


def test_one_that_answers_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_LONGEST_ANSWER", 1000)
    found = audited(lambda _: Answer(pieces=(b" " * 2000,)))
    assert "answers more than 1000 bytes" in row(found).reason


def test_a_list_that_misses_packages_is_no_pass() -> None:
    part = sbom_of({**IMAGE, f"{SITE}/x-1.dist-info/METADATA": b"\0"})
    found = audited(answer_of({}), sbom=part)
    assert (row(found).verdict, row(found).unanswered) == ("not audited", 0)
    assert "packages may be missing" in row(found).reason


def test_what_cannot_be_asked_is_no_pass() -> None:
    unversioned = audited(answer_of({}), "java", sbom=sbom_of({"opt/x.jar": jar()}))
    assert "does not tell its version" in row(unversioned, "java").reason
    other = {**status(deb("a", "1")), "etc/os-release": b"ID=ubuntu\nVERSION_ID=24.04\n"}
    ubuntu = audited(answer_of({}), "debian", sbom=sbom_of(other))
    assert "is not Debian" in row(ubuntu, "debian").reason
    assert unversioned.not_audited
    assert ubuntu.not_audited


def test_an_image_without_packages_asks_nobody() -> None:
    def nobody(_: Asked) -> Answer:
        raise AssertionError

    found = audited(nobody, "python", "debian", sbom=sbom_of(BOOKWORM))
    assert {each.verdict for each in found.rows} == {"no packages"}
    assert not found.not_audited
