"""Where a request goes: by weight, by what is asked for, by what is in flight."""

from collections import Counter

from sagedock.local.hosting.routes import Backend, Route, Routes, Serving
from sagedock.local.hosting.tally import Tally

RANDOM, LEAST = "RANDOM", "LEAST_OUTSTANDING_REQUESTS"


def variant(name: str, weight: float, *backends: Backend, strategy: str = RANDOM) -> Serving:
    return Serving(
        name=name,
        weight=weight,
        strategy=strategy,
        backends=backends,
        instances=len(backends),
        tally=Tally(region="r", dimensions={}),
    )


def routes(*variants: Serving) -> Routes:
    made = Routes()
    made.put(Route(region="r", account="1", endpoint="e", variants=variants))
    return made


def backend(port: int) -> Backend:
    return Backend("127.0.0.1", port)


def test_by_weight() -> None:
    made = routes(variant("a", 3, backend(1)), variant("b", 1, backend(2)))
    counts = Counter(_name(made) for _ in range(4000))
    assert 800 < counts["b"] < 1200


def _name(made: Routes, target: str | None = None) -> str:
    picked = made.pick("r", "e", target)
    assert picked is not None
    return picked.variant.name


def test_without_any_weight_all_are_alike() -> None:
    made = routes(variant("a", 0, backend(1)), variant("b", 0, backend(2)))
    assert {_name(made) for _ in range(100)} == {"a", "b"}


def test_a_variant_without_weight_is_reached_by_name() -> None:
    made = routes(variant("a", 1, backend(1)), variant("b", 0, backend(2)))
    assert {_name(made) for _ in range(100)} == {"a"}
    assert _name(made, "b") == "b"
    assert made.pick("r", "e", "c") is None


def test_the_least_busy_container() -> None:
    one, two = backend(1), backend(2)
    made = routes(variant("a", 1, one, two, strategy=LEAST))
    for _ in range(10):
        made.pick("r", "e", None)
    assert (one.in_flight, two.in_flight) == (5, 5)


def test_what_could_not_be_reached_is_passed_over() -> None:
    one, two = backend(1), backend(2)
    made = routes(variant("a", 1, one), variant("b", 1, two))
    for _ in range(20):
        picked = made.pick("r", "e", None, [one])
        assert picked is not None
        assert picked.backend is two
    assert made.pick("r", "e", None, [one, two]) is None


def test_what_broke_off_gets_nothing_for_a_moment_where_others_can() -> None:
    dying, other = backend(1), backend(2)
    made = routes(variant("a", 1, dying, other))
    dying.broke()
    picked = [made.pick("r", "e", None) for _ in range(50)]
    assert {each.backend for each in picked if each} == {other}
    other.broke()
    assert made.pick("r", "e", None) is not None


def test_what_is_removed_is_not_found() -> None:
    made = routes(variant("a", 1, backend(1)))
    assert made.find("r", "e") is not None
    made.remove("r", "e")
    assert made.find("r", "e") is None
    assert made.pick("r", "e", None) is None
