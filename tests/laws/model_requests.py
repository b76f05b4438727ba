"""Requests made from a service's model: valid ones, and ones with a single defect.

Values are as JSON carries them: moments are numbers, blobs base64. What a model cannot say (an
image that exists, members that exclude each other) is the caller's: it gives strategies by the
name of a shape, and mends what it draws.
"""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sagedock.api.constraints import Kind, constraints
from sagedock.api.model import Shape
from sagedock.api.patterns import compiled
from sagedock.api.place import TOP, Place
from tests.laws.api_examples import text

Strategies = Mapping[str, st.SearchStrategy[Any]]

#: Patterns that say nothing, or no more than that a text is one line.
_ONE_LINE, _ANYTHING = (".*", ".+"), (r"[\S\s]*", None)
_LINE_ENDS = "\n\r\x85\u2028\u2029"
#: What breaks careless code: controls, quotes, other planes, and half of a surrogate pair.
_ODD = st.sampled_from(["\x00", "\x1f", '"', "\\", "'", "/", "..", "{", "%s", "é", "😀", "\ud800"])
_LINE = st.text(
    st.characters(exclude_characters=_LINE_ENDS, exclude_categories=["Cs"]), max_size=20
)
_SAFE = string.ascii_lowercase
#: Limits beyond this one are not exceeded: the text would be the test.
_WORTH_EXCEEDING = 10_000
_LARGEST = {"integer": 2**31 - 1, "long": 2**63 - 1}


def valid(shape: Shape, own: Strategies) -> st.SearchStrategy[Any]:
    """Values that ``shape`` accepts; optional members are there or not. ``own`` goes by shape."""
    if shape.name in own:
        return own[shape.name]
    match shape.type_name:
        case "structure":
            return _structure(shape, own)
        case "list":
            return _list(shape, own)
        case "map":
            return _map(shape, own)
        case "string":
            return texts(shape)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 4 * 10**9) | st.floats(0, 4e9)
        case "integer" | "long":
            return _whole_numbers(shape)
        case "double":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "float":
            return st.floats(shape.metadata.get("min", 0), 1e6, allow_nan=False)
        case kind:
            raise NotImplementedError(kind)


def _structure(shape: Shape, own: Strategies) -> st.SearchStrategy[Any]:
    members = {name: valid(member, own) for name, member in shape.members.items()}
    needed = {name: members.pop(name) for name in shape.required_members}
    return st.fixed_dictionaries(needed, optional=members)


def _list(shape: Shape, own: Strategies) -> st.SearchStrategy[Any]:
    least, most = _limits(shape)
    item = valid(shape.member, own)
    usual = st.lists(item, min_size=least, max_size=min(most, least + 2))
    if shape.member.type_name == "structure" or most > 100:
        return usual
    return usual | st.builds(lambda one: [one] * most, item)


def _map(shape: Shape, own: Strategies) -> st.SearchStrategy[Any]:
    least, most = _limits(shape)
    keys, values = valid(shape.key, own), valid(shape.value, own)
    usual = st.dictionaries(keys, values, min_size=least, max_size=min(most, least + 3))
    full = st.builds(lambda one: {f"k{number}": one for number in range(most)}, values)
    return usual | full if most <= 100 else usual


def _whole_numbers(shape: Shape) -> st.SearchStrategy[int]:
    least = shape.metadata.get("min", 0)
    most = min(shape.metadata.get("max", 2**63), _LARGEST[shape.type_name])
    return st.integers(least, most) | st.sampled_from([least, most])


def texts(shape: Shape) -> st.SearchStrategy[str]:
    """Texts that satisfy every demand of ``shape``, the shortest and longest among them."""
    if choices := shape.metadata.get("enum"):
        return st.sampled_from(choices)
    pattern = shape.metadata.get("pattern")
    _, most = _limits(shape)
    if pattern in _ONE_LINE or pattern in _ANYTHING:
        line = st.builds(lambda start, odd: f"{start}{odd}", _LINE, _ODD | st.just(""))
        drawn = line if pattern in _ONE_LINE else line | st.just("two\nlines\r\n\u2028")
        drawn |= st.just("x" * min(most, 5000))
    else:
        drawn = st.just(text(shape)) | st.from_regex(compiled(pattern), fullmatch=True)
    demands = constraints(shape)
    return drawn.filter(lambda drawn: all(each.holds(drawn) for each in demands))


def _limits(shape: Shape) -> tuple[int, int]:
    return shape.metadata.get("min", 0), shape.metadata.get("max", 2**31)


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One thing that is wrong: where (as the service prints it, and the keys that lead there), what
    stands there instead, and the demand that it fails; None for a value of a wrong JSON type.
    """

    path: str
    keys: tuple[str | int, ...]
    value: Any
    kind: Kind | None

    def spoil(self, request: Any) -> Any:
        """Return ``request`` with the defect in it."""
        return _replaced(request, self.keys, self.value)


#: Stands for a member that is left out.
ABSENT = object()


def _replaced(value: Any, keys: tuple[str | int, ...], new: Any) -> Any:
    if not keys:
        return new
    first, rest = keys[0], keys[1:]
    if isinstance(value, list):
        return [
            _replaced(item, rest, new) if index == first else item
            for index, item in enumerate(value)
        ]
    inner = _replaced(value.get(first), rest, new)
    kept = {name: item for name, item in value.items() if name != first}
    return kept if inner is ABSENT else {**kept, first: inner}


def defects(shape: Shape, value: Any) -> Iterator[Defect]:
    """Yield every single defect that can be put into ``value``."""
    yield from _within(shape, value, TOP, ())


def _within(
    shape: Shape, value: Any, place: Place, keys: tuple[str | int, ...]
) -> Iterator[Defect]:
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                at, behind = place.of_member(name), (*keys, name)
                if name in shape.required_members:
                    for nothing in (ABSENT, None):
                        yield Defect(path=at.path, keys=behind, value=nothing, kind=Kind.REQUIRED)
                if name in value:
                    yield from _spoiled(member, value[name], at, behind)
        case "list" if value:
            item = place if _is_scalar(shape.member) else place.of_item(0)
            yield Defect(path=item.path, keys=(*keys, 0), value=None, kind=Kind.REQUIRED)
            yield from _spoiled(shape.member, value[0], item, (*keys, 0))
        case "map" if value:
            key = next(iter(value))
            at = place if _is_scalar(shape.value) else place.of_entry(key)
            yield Defect(path=at.path, keys=(*keys, key), value=None, kind=Kind.REQUIRED)
            yield from _spoiled(shape.value, value[key], at, (*keys, key))


def _spoiled(
    shape: Shape, value: Any, place: Place, keys: tuple[str | int, ...]
) -> Iterator[Defect]:
    for wrong in _wrong_types(shape.type_name):
        yield Defect(path=place.path, keys=keys, value=wrong, kind=None)
    for kind, wrong in _out_of_bounds(shape, value):
        yield Defect(path=place.path, keys=keys, value=wrong, kind=kind)
    yield from _within(shape, value, place, keys)


def _is_scalar(shape: Shape) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def _wrong_types(type_name: str) -> list[Any]:
    match type_name:
        case "string":
            return [7, 1.5, True, [], {}]
        case "structure" | "map":
            return [[], "x", 3, False]
        case "list":
            return [{}, "x", 3, False]
        case "boolean":
            return ["true", 1, [], {}]
        case "integer" | "long":
            too_large = _LARGEST[type_name] + 1
            return ["5", True, [], {}, too_large, -too_large - 2, 1e300]
        case "float" | "double":
            return ["5", True, [], {}]
        case _:
            return ["2026-01-01T00:00:00Z", True, [], {}, 1e18]


def _out_of_bounds(shape: Shape, value: Any) -> Iterator[tuple[Kind, Any]]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    match shape.type_name:
        case "string":
            yield from _wrong_texts(shape)
        case "integer" | "long":
            if least is not None:
                yield Kind.VALUE, least - 1
            if most is not None:
                yield Kind.VALUE, most + 1
        case "list":
            if least:
                yield Kind.LENGTH, value[: least - 1]
            if most is not None and value:
                yield Kind.LENGTH, [value[0]] * (most + 1)
        case "map":
            if most is not None and value:
                one = next(iter(value.values()))
                yield Kind.LENGTH, {f"k{number}": one for number in range(most + 1)}


def _wrong_texts(shape: Shape) -> Iterator[tuple[Kind, str]]:
    """Yield texts that fail one demand or more; the kind is one of those they fail."""
    told = tuple(str(shape.metadata.get(key)) for key in ("min", "max", "pattern", "enum"))
    if told not in _WRONG_TEXTS:
        _WRONG_TEXTS[told] = list(_found_wrong(shape))
    yield from _WRONG_TEXTS[told]


#: Finding them takes long, and there are few kinds of texts.
_WRONG_TEXTS: dict[tuple[str, ...], list[tuple[Kind, str]]] = {}


def _found_wrong(shape: Shape) -> Iterator[tuple[Kind, str]]:
    _, most = _limits(shape)
    candidates = ["", "Nope", "\n", " ", "a b", "!", "\x00", "é\u2028", "-", "x" * 5000]
    if most < _WORTH_EXCEEDING:
        candidates.append("x" * (most + 1))
    demands = constraints(shape)
    for candidate in candidates:
        failed = [each.kind for each in demands if not each.holds(candidate)]
        if failed:
            yield failed[0], candidate
