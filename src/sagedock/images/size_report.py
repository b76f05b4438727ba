"""How large an image is, layer by layer, what its budget says of it, and what each start pays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sagedock.engine import ImageLayer
from sagedock.images.image import Device, Image
from sagedock.images.start_up import added_seconds, amount

__all__ = ["LayerSize", "SizeReport", "over_budget", "size_lines", "size_report"]

_MB = 1_000_000
#: What is left of a byte, compressed, of training-cpu (0.35 of serving-cpu) and training-cuda, both
#: measured: GPU code hardly shrinks. Neuron's was not measured.
_RATIOS: Mapping[Device, float] = {"cpu": 0.33, "cuda": 0.60, "neuron": 0.5}
_LARGEST, _WORDS = 3, 70


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """One layer: the instruction that made it, its bytes unpacked, and compressed; ``estimated``
    says that nobody measured the latter, ``of_base`` that the image's base has it.
    """

    made_by: str
    size: int
    packed: int
    estimated: bool
    of_base: bool = False


@dataclass(frozen=True, kw_only=True)
class SizeReport:
    """An image's layers, the lowest first. ``start_up_s`` is what each start takes longer that has
    to download it; ``budget_mb`` what images.toml allows, unpacked.
    """

    layers: tuple[LayerSize, ...]
    size: int
    packed: int
    estimated: bool
    start_up_s: int
    budget_mb: int | None
    over_budget: bool


def size_report(
    image: Image,
    layers: Sequence[ImageLayer],
    packed: Mapping[str, int],
    base: Sequence[ImageLayer] = (),
) -> SizeReport:
    """Return the report on an image; ``packed`` are compressed sizes, by diff id, that are known,
    ``base`` the layers of its base, none where they are not.

    What is not known is estimated by what others of these images are.
    """
    known, ratio = _of_base(layers, base), _RATIOS[image.device]
    rows = tuple(_row(each, packed, ratio, number < known) for number, each in enumerate(layers))
    size, whole = sum(row.size for row in rows), sum(row.packed for row in rows)
    return SizeReport(
        layers=rows,
        size=size,
        packed=whole,
        estimated=any(row.estimated for row in rows),
        start_up_s=added_seconds(whole),
        budget_mb=image.budget_mb,
        over_budget=image.budget_mb is not None and size > image.budget_mb * _MB,
    )


def _of_base(layers: Sequence[ImageLayer], base: Sequence[ImageLayer]) -> int:
    """Return how many of an image's layers are its base's: none where it starts from another."""
    theirs = [layer.diff_id for layer in base]
    ours = [layer.diff_id for layer in layers[: len(theirs)]]
    return len(theirs) if None not in theirs and ours == theirs else 0


def _row(layer: ImageLayer, packed: Mapping[str, int], ratio: float, of_base: bool) -> LayerSize:
    known = 0 if not layer.size else None if layer.diff_id is None else packed.get(layer.diff_id)
    return LayerSize(
        made_by=layer.made_by,
        size=layer.size,
        packed=round(layer.size * ratio) if known is None else known,
        estimated=known is None,
        of_base=of_base,
    )


def size_lines(report: SizeReport) -> Iterator[str]:
    """Yield the report as lines of text: a line for each layer with files, then the sum."""
    for row in (row for row in report.layers if row.size):
        packed = _packed(row.packed, row.estimated)
        yield f"  {amount(row.size):>8}  {packed:>13} compressed  {_short(row.made_by)}"
    limit = f" of at most {amount(report.budget_mb * _MB)}" if report.budget_mb else ""
    how = "an estimate; --measure compresses it once" if report.estimated else "measured"
    packed = _packed(report.packed, report.estimated)
    yield (
        f"  {amount(report.size):>8}{limit}; {packed} compressed ({how}): "
        f"about {report.start_up_s} s of each start that has to download it"
    )


def _packed(size: int, estimated: bool) -> str:
    return f"about {amount(size)}" if estimated else amount(size)


def over_budget(image: Image, report: SizeReport) -> str:
    """Return what to do about an image that is larger than its budget."""
    of_base = sum(row.size for row in report.layers if row.of_base)
    own = sorted((row for row in report.layers if not row.of_base), key=lambda row: -row.size)
    largest = [row for row in own if row.size * 100 > report.size][:_LARGEST]
    named = "; ".join(f"{amount(row.size)} {_short(row.made_by)}" for row in largest)
    words = [
        f"{image.name} takes {amount(report.size)}, and its budget_mb in images.toml is "
        f"{report.budget_mb}."
    ]
    if of_base:
        words.append(f"{amount(of_base)} of that are its base's, {image.base}.")
    if largest:
        own_words = "own largest" if of_base else "largest"
        words.append(f"Its {own_words} layers: {named}. Leave out of them what no job needs, or")
    else:
        words.append("Its own layers are small: start from a smaller base, or")
    words.append(
        f"raise budget_mb to {-(-report.size // _MB)}. {image.reference} is built all the same, so "
        "that you can look into it"
    )
    return " ".join(words)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _WORDS else f"{line[: _WORDS - 3]}..."
