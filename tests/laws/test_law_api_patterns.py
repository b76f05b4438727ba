"""Every pattern of the services' models runs here, means the same, and takes no time to refuse."""

import re
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagedock.api.model import service_model
from sagedock.api.patterns import SPELLED, TRANSLATED, compiled, matches, to_python
from tests.amount import amount

SERVICES = (
    *("sagemaker", "sagemaker-runtime", "sagemaker-metrics", "logs"),
    "application-autoscaling",
)


def shapes_with_patterns() -> dict[str, int | None]:
    """Return each pattern of the models, with the longest text that any shape with it allows."""
    found: dict[str, int | None] = {}
    for service in SERVICES:
        model = service_model(service)
        for name in model.shape_names:
            metadata = model.shape_for(name).metadata
            if "pattern" in metadata:
                limits = (found.get(metadata["pattern"], 0), metadata.get("max"))
                longest = None if None in limits else max(limits)
                found[metadata["pattern"]] = longest
    return found


PATTERNS = shapes_with_patterns()
every_pattern = pytest.mark.parametrize("pattern", PATTERNS)


def compiles(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.ASCII)
    except (re.error, FutureWarning):
        return False
    return True


@every_pattern
def test_it_compiles_as_it_is_or_by_the_table(pattern: str) -> None:
    assert compiles(to_python(pattern))
    assert compiles(pattern) or pattern in TRANSLATED


@pytest.mark.parametrize("pattern", [*TRANSLATED, *SPELLED])
def test_the_tables_hold_patterns_of_the_models_only(pattern: str) -> None:
    assert pattern in PATTERNS


#: What refusing a text is hard for: long runs of one thing, and at the end what fits nothing.
HOSTILE = [
    start + unit * (10_000 // len(unit)) + end
    for start in ("", "s3://", "https://", "1.1.1-", "arn:aws:iam::123456789012:role/")
    for unit in ("a", "-", "1", "1.", "a/", "a-", " ", "\n", "a" * 50 + "/")
    for end in ("\x00", "\u2028")
]


@every_pattern
def test_a_hostile_text_is_refused_at_once(pattern: str) -> None:
    """Ninety texts take milliseconds; a pattern that runs away takes years. The bound is wide."""
    began = time.process_time()
    for text in HOSTILE:
        matches(pattern, text, PATTERNS[pattern])
        assert time.process_time() - began < 20, f"{pattern} on {text[:30]!r}..."


#: Rewritten only for speed: Python reads the original too, if the text is short.
REWRITTEN = [
    "[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?",
    ".*[0-9a-z]+.*",
    "[0-9]*.[0-9]*.[0-9]*",
    r"https://([.\-_a-zA-Z0-9]+/?){3,1016}",
    r"(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+",
]


@pytest.mark.parametrize("pattern", REWRITTEN)
@settings(max_examples=amount(400, quick=100), deadline=None)
@given(data=st.data())
def test_a_pattern_rewritten_for_speed_means_the_same(pattern: str, data: st.DataObject) -> None:
    start = "https://" if pattern.startswith("https") else ""
    text = start + data.draw(st.text(alphabet="a1-./A \n", max_size=10))
    assert matches(pattern, text) == bool(re.compile(pattern, re.ASCII).fullmatch(text))


def test_a_dot_matches_no_line_end_as_in_java() -> None:
    assert not any(matches(".*", f"a{end}b") for end in "\n\r\x85\u2028\u2029")
    assert matches(".*", "a\x0bb")
    assert compiled(r"[.]\.a.").fullmatch("..ab")


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Größe ٣ x/y=z", "a!b"),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "é€!9", "a b"),
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", "a b €", "a\tb"),
        (r"[\p{L}\p{M}\p{Z}\p{N}\p{P}]{0,1024}", "a b-1", "a+b"),
        (r"\p{ASCII}*", "a\x00~", "é"),
        (r"\A\S[\p{Print}]*\z", "a b", " a"),
        (r"[\w-_]*", "a-_1", "é"),
        (r".*(?:[ \r\n\t].*)*", "{\n  a: 1\r\n}", "\u2028"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a😀\t", "a\n"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "a😀\n", "a\x00"),
        (r"\p{Print}+", "a b~", "é"),
    ],
)
def test_classes_of_unicode_are_translated(pattern: str, right: str, wrong: str) -> None:
    assert matches(pattern, right)
    assert not matches(pattern, wrong)
