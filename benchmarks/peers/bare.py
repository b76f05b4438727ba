"""How many predictions a second two processes make in a loop: no server can make more."""

import json
import multiprocessing
import sys
import time

import models

SECONDS = 4


def loop(batch: int, counts: "multiprocessing.Queue[float]") -> None:
    """Predict for a while; put the number of inputs a second."""
    model = models.load()
    data = models.read(models.request()[0])
    inputs = [data] * batch
    models.predict_all(inputs, model)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        models.predict_all(inputs, model)
        done += batch
    counts.put(done / (time.perf_counter() - began))


def main() -> None:
    batch, processes = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    counts = multiprocessing.Queue()
    all_of_them = [
        multiprocessing.Process(target=loop, args=(batch, counts)) for _ in range(processes)
    ]
    for each in all_of_them:
        each.start()
    rate = sum(counts.get() for _ in all_of_them)
    print(json.dumps({"rate": rate}))


if __name__ == "__main__":
    main()
