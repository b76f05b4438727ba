"""Sums the numbers of the channel ``train``: a training job that anyone could have written."""

import argparse
import json
import os
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--scale", type=int, default=1)
parser.add_argument("--label", default="")
options = parser.parse_args()

total = 0.0
for file in sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.csv")):
    total += sum(float(number) for number in file.read_text().split(","))
total *= options.scale
print(f"hello from {os.environ['SM_CURRENT_HOST']} {options.label}")
print(f"total={total}")
model = {"total": total, "label": options.label}
Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps(model))
