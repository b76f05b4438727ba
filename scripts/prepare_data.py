"""Write scikit-learn's handwritten digits as CSV files, and copy them to S3 if asked.

python scripts/prepare_data.py                    # writes data/digits/{train,test}/digits.csv
python scripts/prepare_data.py --target local     # and copies them to the local S3
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from program import run

from sagedock import Session

if TYPE_CHECKING:
    import numpy as np

DATA = Path(__file__).resolve().parent.parent / "data" / "digits"
PREFIX = "sagedock/digits"
TEST_SHARE = 0.2
SEED = 0


def write_digits(folder: Path = DATA) -> Path:
    """Write train/digits.csv and test/digits.csv below ``folder``: the digit, then 64 pixels."""
    import numpy as np
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    rows = np.column_stack([digits, pixels]).astype(int)
    np.random.default_rng(SEED).shuffle(rows)
    cut = round(len(rows) * TEST_SHARE)
    for name, part in {"test": rows[:cut], "train": rows[cut:]}.items():
        file = folder / name / "digits.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_name(f".{file.name}.{os.getpid()}")  # others may look meanwhile
        np.savetxt(whole, part, fmt="%d", delimiter=",")
        whole.replace(file)
    return folder


def channels(session: Session, folder: Path = DATA) -> dict[str, str]:
    """Write the digits if they are not there, copy them to S3, and return the channels' URIs."""
    if not (folder / "train" / "digits.csv").exists():
        write_digits(folder)
    bucket = session.default_bucket()
    return {
        name: session.upload(folder / name, f"{PREFIX}/{name}", bucket=bucket)
        for name in ("train", "test")
    }


def test_rows(folder: Path = DATA) -> "tuple[np.ndarray, np.ndarray]":
    """Return the test set: n digits, and n x 64 pixels."""
    import numpy as np

    if not (folder / "test" / "digits.csv").exists():
        write_digits(folder)
    rows = np.loadtxt(folder / "test" / "digits.csv", delimiter=",", dtype=int)
    return rows[:, 0], rows[:, 1:]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DATA, help="folder (default: %(default)s)")
    parser.add_argument("--target", choices=["local", "aws"], help="copy to this S3 too")
    options = parser.parse_args()
    print(write_digits(options.output))
    if options.target:
        for name, uri in channels(Session(target=options.target), options.output).items():
            print(f"{name}: {uri}")
    return 0


if __name__ == "__main__":
    run(main)
