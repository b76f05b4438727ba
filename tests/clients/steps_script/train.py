"""Counts on from the last checkpoint: a job for machines that may be taken away."""

import argparse
import json
import os
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--checkpoints", default="/opt/ml/checkpoints")
options = parser.parse_args()

checkpoint = Path(options.checkpoints, "state.json")
first = json.loads(checkpoint.read_text())["step"] if checkpoint.exists() else 0
for step in range(first + 1, options.steps + 1):
    checkpoint.write_text(json.dumps({"step": step}))
print(f"steps {first} to {options.steps}")
model = {"from": first, "to": options.steps}
Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps(model))
