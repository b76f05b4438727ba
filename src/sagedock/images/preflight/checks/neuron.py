"""AWS's Neuron SDK against Inferentia and Trainium."""

from collections.abc import Iterator

from sagedock.contract.accelerators import NEURON, NeuronChip, family_of
from sagedock.images.preflight.facts import ImageFacts, two
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["neuron_rows"]

#: What public package indexes have under these names is empty, of this version.
_PLACEHOLDER = "1.0"
_RUNTIME, _COLLECTIVES = "libnrt.so.1", "libnccom.so.2"


def neuron_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield framework, compiler and runtime on Neuron's instances; else packages of no use."""
    family = family_of(target.instance_type)
    chip = next((row for row in NEURON if family in row.families), None)
    if chip is None:
        yield from _of_no_use(facts)
        return
    yield _framework(facts, chip)
    yield _compiler(facts, chip)
    if chip.compiler == "neuronx-cc":
        yield _runtime(facts, chip)
        if target.count > 1:
            yield _collectives(facts, chip)


def _of_no_use(facts: ImageFacts) -> Iterator[Row]:
    found = [name for chip in NEURON for name in (*chip.any_of, chip.compiler)]
    there = [name for name in dict.fromkeys(found) if name in facts.packages]
    if there:
        yield Row(
            check="Neuron",
            verdict=Verdict.WARNS,
            found=", ".join(there),
            needed="none: this instance has no Neuron device",
            source=NEURON[1].source,
            remedy="build without it, or take an inf2 or trn1 type",
        )


def _framework(facts: ImageFacts, chip: NeuronChip) -> Row:
    there = {name: facts.packages[name] for name in chip.any_of if name in facts.packages}
    empty = [name for name, version in there.items() if _is_placeholder(version)]
    good = bool(there) and not empty
    return Row(
        check="Neuron framework",
        verdict=Verdict.OK if good else Verdict.FAILS,
        found=", ".join(f"{name} {version}" for name, version in there.items()) or "none",
        needed=f"one of {', '.join(chip.any_of)}, for the {chip.name}",
        source=chip.source,
        remedy=""
        if good
        else "install it from AWS Neuron's own package index: other indexes have an empty "
        "package of that name",
    )


def _compiler(facts: ImageFacts, chip: NeuronChip) -> Row:
    version = facts.packages.get(chip.compiler)
    has = two(version or "")
    verdict, remedy = Verdict.OK, ""
    if version is None:
        verdict = Verdict.WARNS
        remedy = f"install {chip.compiler}, unless all models are compiled beforehand"
    elif _is_placeholder(version) or has is None or has < chip.first_compiler:
        verdict = Verdict.FAILS
        remedy = f"install a newer {chip.compiler} from AWS Neuron's own package index"
    wanted = ".".join(map(str, chip.first_compiler))
    return Row(
        check="Neuron compiler",
        verdict=verdict,
        found=f"{chip.compiler} {version}" if version else f"no {chip.compiler}",
        needed=f"{chip.compiler} {wanted} or newer" + ("" if chip.verified else " (unverified)"),
        source=chip.source,
        remedy=remedy,
    )


def _runtime(facts: ImageFacts, chip: NeuronChip) -> Row:
    library = next((each.path for each in facts.libraries if each.soname == _RUNTIME), None)
    package = facts.system_packages.get("aws-neuronx-runtime-lib")
    good = library is not None or package is not None
    return Row(
        check="Neuron runtime",
        verdict=Verdict.OK if good else Verdict.FAILS,
        found=f"aws-neuronx-runtime-lib {package}" if package else library or f"no {_RUNTIME}",
        needed=f"{_RUNTIME}, of the package aws-neuronx-runtime-lib",
        source=chip.source,
        remedy="" if good else "install it from AWS Neuron's own apt repository",
    )


def _collectives(facts: ImageFacts, chip: NeuronChip) -> Row:
    package = facts.system_packages.get("aws-neuronx-collectives")
    good = package is not None or facts.has_library(_COLLECTIVES)
    return Row(
        check="Neuron collectives",
        verdict=Verdict.OK if good else Verdict.FAILS,
        found=f"aws-neuronx-collectives {package}"
        if package
        else f"{'' if good else 'no '}{_COLLECTIVES}",
        needed=f"{_COLLECTIVES}, of the package aws-neuronx-collectives, for several instances",
        source=chip.source,
        remedy="" if good else "install it from AWS Neuron's own apt repository",
    )


def _is_placeholder(version: str) -> bool:
    return version == _PLACEHOLDER or version.startswith(f"{_PLACEHOLDER}.0")
