"""Whether programs of an image find its cuda-compat: always, or by our launcher's decision."""

from sagedock.contract.accelerators import Use
from sagedock.contract.driver import COMPAT
from sagedock.images.preflight.checks.start import program_started
from sagedock.images.preflight.facts import ImageFacts

__all__ = ["compat_on_path", "usable_compat"]

#: Our launchers, and their part that decides whose driver libraries programs load.
_LAUNCHERS: dict[Use, str] = {
    "training": "opt/sagedock/bin/train",
    "serving": "opt/sagedock/bin/serve",
    "transform": "opt/sagedock/bin/serve",
}
_DECIDES = "opt/sagedock/lib/sagedock/runtime/cuda_compat.py"


def compat_on_path(facts: ImageFacts) -> bool:
    """Say whether the loader finds cuda-compat, whatever the host's driver is."""
    return facts.compat is not None and facts.is_found_by_the_loader(
        f"{facts.compat[0]}/libcuda.so.1"
    )


def usable_compat(facts: ImageFacts, use: Use) -> str | None:
    """Return the driver's version of a cuda-compat that programs find, else None."""
    if facts.compat is None:
        return None
    folder, version = facts.compat
    return version if compat_on_path(facts) or _launcher_decides(facts, folder, use) else None


def _launcher_decides(facts: ImageFacts, folder: str, use: Use) -> bool:
    """Say whether our launcher is what SageMaker starts, and looks at that folder.

    A processing job's program starts without it.
    """
    launcher = _LAUNCHERS.get(use)
    runs = launcher is not None and program_started(facts, use) == launcher
    looks = facts.files.resolve(COMPAT) == facts.files.resolve(f"/{folder}")
    return runs and looks and _DECIDES in facts.files.entries
