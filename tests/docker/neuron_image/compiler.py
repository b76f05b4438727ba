#!/opt/venv/bin/python
"""Stands in for Neuron's compiler and its cache: `neuronx-cc GRAPH` says what it found there.

A lock is waited for without an end, and a failure is final, there; here both end it at once.
"""

import hashlib
import os
import sys
from pathlib import Path

graph = sys.argv[1]
compiler = Path(os.environ["NEURON_COMPILE_CACHE_URL"], "neuronxcc-2.25.3371.0+f524f7f8")
entry = compiler / f"MODULE_{int(hashlib.sha256(graph.encode()).hexdigest()[:15], 16)}+d41d8cd9"
entry.mkdir(parents=True, exist_ok=True)
source, lock = entry / "model.hlo_module.pb", entry / "model.hlo_module.pb.lock"
if lock.exists():
    sys.exit(f"{graph}: another process must be compiling")
if (entry / "model.log").exists():
    sys.exit(f"{graph}: a cached failure")
source.write_text(graph)
if os.environ.get("NEURON_EXTRACT_GRAPHS_ONLY") == "1":
    print(f"{graph}: extracted", flush=True)
elif (entry / "model.done").exists():
    print(f"{graph}: cached {(entry / 'model.neff').read_text()}", flush=True)
else:
    (entry / "model.neff").write_text(f"code of {graph}")
    (entry / "model.done").touch()
    print(f"{graph}: compiled", flush=True)
