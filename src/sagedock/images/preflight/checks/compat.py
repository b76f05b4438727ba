"""Whether programs of an image find its cuda-compat: always, or by our launcher's decision."""

from sagedock.contract.driver import COMPAT
from sagedock.images.preflight.facts import ImageFacts

__all__ = ["compat_on_path", "usable_compat"]

#: Our launcher's part that decides whose driver libraries programs load.
_LAUNCHER = "sagedock/runtime/cuda_compat.py"


def compat_on_path(facts: ImageFacts) -> bool:
    """Say whether the loader finds cuda-compat, whatever the host's driver is."""
    return facts.compat is not None and facts.is_found_by_the_loader(
        f"{facts.compat[0]}/libcuda.so.1"
    )


def usable_compat(facts: ImageFacts) -> str | None:
    """Return the driver's version of a cuda-compat that programs find, else None."""
    if facts.compat is None:
        return None
    folder, version = facts.compat
    return version if compat_on_path(facts) or _launcher_decides(facts, folder) else None


def _launcher_decides(facts: ImageFacts, folder: str) -> bool:
    """Say whether our launcher is there, and looks at that folder."""
    there = any(path.endswith(_LAUNCHER) for path in facts.named(r"cuda_compat\.py"))
    return there and facts.files.resolve(COMPAT) == facts.files.resolve(f"/{folder}")
