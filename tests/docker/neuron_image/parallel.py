#!/opt/venv/bin/python
"""Stands in for neuron_parallel_compile: runs a command that computes nothing, then compiles."""

import os
import subprocess
import sys
from pathlib import Path

done = subprocess.run(sys.argv[1:], env={**os.environ, "NEURON_EXTRACT_GRAPHS_ONLY": "1"})
if done.returncode == 0:
    for source in sorted(Path(os.environ["NEURON_COMPILE_CACHE_URL"]).rglob("*.pb")):
        subprocess.run(["neuronx-cc", source.read_text()], check=True)
sys.exit(done.returncode)
