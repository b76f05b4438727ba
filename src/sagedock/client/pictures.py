"""What every picture of ours has: its paper, its ink, its colours, and where it goes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sagedock.errors import InvalidRequest, SagedockError, StorageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "PANEL", "PAPER", "plain", "problem_with_picture", "save_picture"]

#: In inches, of one panel; wide enough for two beside each other on a page.
PANEL = (5.2, 2.7)
#: Okabe and Ito's colours, which nobody takes for one another, without the yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333")
#: A paper of its own, so that the picture reads on a dark page as on a light one.
PAPER = "#ffffff"
INK = "#222222"
_GRID = "#dddddd"
_SUFFIXES = (".png", ".svg")
_DOTS_PER_INCH = 150


def problem_with_picture(path: Path) -> str | None:
    """Return what is wrong with where a picture is to go, or None; to be asked before the work."""
    if path.suffix.lower() not in _SUFFIXES:
        return f"{path}: a picture ends in {' or '.join(_SUFFIXES)}: name it so"
    if not path.absolute().parent.is_dir():
        return f"{path}: there is no folder {path.absolute().parent}: make it first"
    return None


def save_picture(draw: Callable[[], "Figure"], path: Path) -> None:
    """Save what ``draw`` draws into ``path`` (.png or .svg).

    Raises InvalidRequest for another ending; SagedockError where matplotlib is not installed;
    StorageError where nothing can be written.
    """
    if problem := problem_with_picture(path):
        raise InvalidRequest([problem])
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise SagedockError(
            "matplotlib, which draws curves, is not installed: pip install 'sagedock[plot]'"
        ) from error
    # Text stays text in an SVG, for whoever searches it.
    with rc_context({"svg.fonttype": "none", "font.size": 9}):
        picture = draw()
        try:
            picture.savefig(path, format=path.suffix.lower()[1:], dpi=_DOTS_PER_INCH)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}: save it elsewhere") from error


def plain(axes: "Axes") -> None:
    """Take from a panel what is only decoration."""
    axes.set_facecolor(PAPER)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.tick_params(colors=INK, labelsize=8)
    axes.margins(y=0.12)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
