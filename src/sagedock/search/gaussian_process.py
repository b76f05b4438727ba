"""A Gaussian process over points of the unit cube: what an objective is likely to be elsewhere.

The kernel is Matern 5/2 with a length for each coordinate. Lengths and noise are those of the
largest posterior; the scale of the objective follows from them. Source: Rasmussen and Williams,
Gaussian Processes for Machine Learning (2006), chapters 2, 4 and 5.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["Array", "GaussianProcess", "Settings", "fitted"]

#: What is likely before anything is known, of logarithms: lengths, and noise as a share of the
#: objective's variance.
_LENGTH, _LENGTH_SPREAD = -0.7, 1.0
_NOISE, _NOISE_SPREAD = -9.0, 2.0
_LEAST_NOISE, _MOST_NOISE = -14.0, 0.0
_SHORTEST, _LONGEST = -4.0, 4.0
_STEPS = 30
_FIRST_STEP, _LARGEST_STEP, _SMALLEST_STEP = 0.2, 1.0, 1e-4
#: As a share of the variance; keeps a matrix with points beside each other invertible.
_JITTER = 1e-9
_ROOT_5 = 5.0**0.5


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The logarithms of the lengths, one for each coordinate, and of the noise."""

    lengths: "Array"
    noise: float


class GaussianProcess:
    """What is known after ``losses`` at ``points``: a row for each."""

    def __init__(self, points: "Array", losses: "Array", settings: Settings) -> None:
        import numpy as np

        self._points, self._settings = points, settings
        correlation = _correlation(points, points, settings.lengths)
        correlation[np.diag_indices_from(correlation)] += np.exp(settings.noise) + _JITTER
        factor = np.linalg.cholesky(correlation)
        # The inverse of the factor makes each later question one product.
        self._whitener = np.linalg.solve(factor, np.eye(len(points)))
        self._mean = float(losses.mean())
        white = self._whitener @ (losses - self._mean)
        self._weights = self._whitener.T @ white
        self._variance = float(white @ white) / len(points) + 1e-12

    def at(self, points: "Array") -> tuple["Array", "Array"]:
        """Return the means and the standard deviations of the objective at ``points``."""
        import numpy as np

        correlation = _correlation(points, self._points, self._settings.lengths)
        known = correlation @ self._whitener.T
        left = np.maximum(1.0 - np.einsum("ij,ij->i", known, known), 1e-12)
        return self._mean + correlation @ self._weights, np.sqrt(self._variance * left)


def fitted(points: "Array", losses: "Array", *, steps: int = _STEPS) -> Settings:
    """Return the settings under which ``losses`` at ``points`` are likeliest.

    It climbs by the signs of the gradient, each coordinate with a step of its own (Rprop:
    Riedmiller and Braun, 1993), which needs no scale.
    """
    import numpy as np

    width = points.shape[1]
    squares = (points[:, None, :] - points[None, :, :]) ** 2
    centred = losses - losses.mean()
    at = np.full(width + 1, _LENGTH)
    at[-1] = _NOISE
    low = np.append(np.full(width, _SHORTEST), _LEAST_NOISE)
    high = np.append(np.full(width, _LONGEST), _MOST_NOISE)
    step, before = np.full(width + 1, _FIRST_STEP), np.zeros(width + 1)
    best, best_cost = at, np.inf
    for _ in range(steps):
        cost, slope = _cost(squares, centred, at)
        if cost < best_cost:
            best, best_cost = at, cost
        same = slope * before
        step = np.clip(
            np.where(same > 0, step * 1.2, np.where(same < 0, step * 0.5, step)),
            _SMALLEST_STEP,
            _LARGEST_STEP,
        )
        before = np.where(same < 0, 0.0, slope)
        at = np.clip(at - np.sign(before) * step, low, high)
    return Settings(lengths=best[:-1], noise=float(best[-1]))


def _cost(squares: "Array", losses: "Array", at: "Array") -> tuple[float, "Array"]:
    """Return minus the logarithm of the posterior of settings, and its slope in each of them."""
    import numpy as np

    count = len(losses)
    scaled = squares * np.exp(-2.0 * at[:-1])
    distance = np.sqrt(scaled.sum(axis=2))
    fall = np.exp(-_ROOT_5 * distance)
    noise = np.exp(at[-1])
    correlation = (1.0 + _ROOT_5 * distance + 5.0 / 3.0 * distance**2) * fall
    correlation[np.diag_indices(count)] += noise + _JITTER
    factor = np.linalg.cholesky(correlation)
    inverse = np.linalg.inv(correlation)
    weights = inverse @ losses
    fit = float(losses @ weights) + 1e-12
    cost = np.log(np.diag(factor)).sum() + 0.5 * count * np.log(fit)
    pull = 0.5 * (inverse - count / fit * np.outer(weights, weights))
    steep = 5.0 / 3.0 * (1.0 + _ROOT_5 * distance) * fall * pull
    slope = np.append(np.einsum("ij,ijk->k", steep, scaled), noise * np.trace(pull))
    off = np.append(at[:-1] - _LENGTH, at[-1] - _NOISE)
    spread = np.append(np.full(len(at) - 1, _LENGTH_SPREAD), _NOISE_SPREAD)
    return float(cost + 0.5 * ((off / spread) ** 2).sum()), slope + off / spread**2


def _correlation(these: "Array", those: "Array", lengths: "Array") -> "Array":
    import numpy as np

    inverse = np.exp(-lengths)
    a, b = these * inverse, those * inverse
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    distance = np.sqrt(np.maximum(squares, 0.0))
    correlation: Array = (1.0 + _ROOT_5 * distance + 5.0 / 3.0 * distance**2) * np.exp(
        -_ROOT_5 * distance
    )
    return correlation
