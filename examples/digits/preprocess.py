"""Split handwritten digits into a train and a test set, as a SageMaker processing job.

The inputs are CSV files without a header: the digit, then its 8 x 8 pixels (0 to 16). Each digit
has the same share in both sets, and pixels are scaled to 0 to 1 by the largest of the train set.
The outputs are the two sets, and a report of what was done.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path("/opt/ml/processing")
#: What the job's description shows at its end.
MESSAGE = Path("/opt/ml/output/message")


def read_rows(folder: Path) -> np.ndarray:
    """Return the rows of every CSV file below ``folder``."""
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no .csv file: check the input's S3 prefix")
    return np.concatenate([np.loadtxt(file, delimiter=",", ndmin=2) for file in files])


def split(rows: np.ndarray, test_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a train and a test set, in each of which every digit has its share, at random."""
    random = np.random.default_rng(seed)
    is_test = np.zeros(len(rows), dtype=bool)
    for digit in np.unique(rows[:, 0]):
        found = random.permutation(np.flatnonzero(rows[:, 0] == digit))
        is_test[found[: round(len(found) * test_share)]] = True
    return random.permutation(rows[~is_test]), random.permutation(rows[is_test])


def scaled(rows: np.ndarray, brightest: float) -> np.ndarray:
    """Return the rows with their pixels from 0 to 1."""
    return np.column_stack([rows[:, 0], np.clip(rows[:, 1:] / brightest, 0.0, 1.0)])


def write_set(rows: np.ndarray, folder: Path) -> None:
    """Write one set: the digit as a whole number, pixels with four decimals."""
    folder.mkdir(parents=True, exist_ok=True)
    formats = ["%d"] + ["%.4f"] * (rows.shape[1] - 1)
    np.savetxt(folder / "digits.csv", rows, fmt=formats, delimiter=",")


def described(train: np.ndarray, test: np.ndarray, brightest: float) -> dict[str, Any]:
    """Return the report."""
    digits = {
        str(int(digit)): {
            "train": int((train[:, 0] == digit).sum()),
            "test": int((test[:, 0] == digit).sum()),
        }
        for digit in np.unique(train[:, 0])
    }
    return {
        "train_rows": len(train),
        "test_rows": len(test),
        "brightest": float(brightest),
        "digits": digits,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    if not 0 < options.test_share < 1:
        parser.error(f"--test-share: {options.test_share} is no share: give one between 0 and 1")
    train, test = split(read_rows(ROOT / "input" / "digits"), options.test_share, options.seed)
    brightest = train[:, 1:].max()
    for name, rows in (("train", train), ("test", test)):
        write_set(scaled(rows, brightest) if options.scale else rows, ROOT / "output" / name)
    report = described(train, test, brightest)
    folder = ROOT / "output" / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=2))
    MESSAGE.write_text(f"{len(train)} rows to train, {len(test)} to test")
    print(f"{len(train)} rows to train, {len(test)} to test", flush=True)


if __name__ == "__main__":
    main()
