"""Evaluate the network that train.py has trained, as a SageMaker processing job.

Inputs: ``model`` with model.tar.gz, ``test`` with CSV files (the digit, then its pixels), and
``handler`` with inference.py, by which the model is asked, as an endpoint would ask it. Outputs:
``evaluation`` with evaluation.json, and ``package`` with the model.tar.gz that was evaluated,
handler included.
"""

import importlib.util
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path("/opt/ml/processing")
#: What the job's description shows at its end.
MESSAGE = Path("/opt/ml/output/message")


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack a model's files, as far as they lie at the top; return where they are."""
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isreg() else None
            if content is not None and Path(member.name).name == member.name:
                (folder / member.name).write_bytes(content.read())
    return folder


def handler_of(file: Path) -> Any:
    """Return the module that serves the model."""
    spec = importlib.util.spec_from_file_location("inference", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{file} is no Python program")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluated(digits: np.ndarray, answers: np.ndarray) -> dict[str, Any]:
    """Return the share of right answers, of all digits and of each."""
    right = digits == answers
    each = {str(int(digit)): float(right[digits == digit].mean()) for digit in np.unique(digits)}
    metrics = {"accuracy": float(right.mean()), "rows": len(digits)}
    return {"metrics": metrics, "accuracy_of_digit": each}


def pack(model: Path, handler: Path, target: Path) -> None:
    """Write the model and its handler as an endpoint finds them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz") as packed:
        for file in sorted(model.iterdir()):
            packed.add(file, file.name)
        packed.add(handler, "code/inference.py")


def main() -> None:
    files = sorted((ROOT / "input" / "test").rglob("*.csv"))
    rows = np.concatenate([np.loadtxt(file, delimiter=",", ndmin=2) for file in files])
    source = ROOT / "input" / "handler" / "inference.py"
    handler = handler_of(source)
    with tempfile.TemporaryDirectory() as folder:
        model = unpacked(ROOT / "input" / "model" / "model.tar.gz", Path(folder))
        answers = handler.predict_fn(rows[:, 1:], handler.model_fn(str(model)))
        pack(model, source, ROOT / "output" / "package" / "model.tar.gz")
    report = evaluated(rows[:, 0], answers)
    where = ROOT / "output" / "evaluation"
    where.mkdir(parents=True, exist_ok=True)
    (where / "evaluation.json").write_text(json.dumps(report, indent=2))
    said = f"accuracy={report['metrics']['accuracy']:.4f} of {len(rows)} rows"
    MESSAGE.write_text(said)
    print(said, flush=True)


if __name__ == "__main__":
    main()
