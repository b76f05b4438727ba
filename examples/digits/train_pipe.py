"""Train on handwritten digits that are streamed: the channel ``train`` in Pipe mode.

Each epoch is a FIFO beside the channel's folder, train_0, train_1, ..., and sends the channel's
CSV files one after the other. Nothing but a batch is held. The channel ``test``, in File mode, the
options and the model are those of train.py.
"""

import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from train import BRIGHTEST, accuracy, build_network, parse_options, read_channel

#: The next epoch's FIFO is made once the one before is closed, and may take a moment.
LONGEST_WAIT_S = 60


def fifo_of(channel: str, epoch: int) -> Path:
    """Return the FIFO of an epoch (0, 1, ...), once it is there."""
    path = Path(f"{channel}_{epoch}")
    ends = time.monotonic() + LONGEST_WAIT_S
    while not path.is_fifo():
        if time.monotonic() > ends:
            raise FileNotFoundError(f"{path} did not appear: is the channel in Pipe mode?")
        time.sleep(0.01)
    return path


def batches(fifo: Path, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pixels (n x 64, 0 to 1) and digits (n) of up to ``size`` lines, until the end."""
    with fifo.open(encoding="ascii") as lines:
        while batch := list(itertools.islice(lines, size)):
            rows = torch.tensor([[float(cell) for cell in line.split(",")] for line in batch])
            yield rows[:, 1:] / BRIGHTEST, rows[:, 0].long()


class StopAsked:
    """Becomes true on SIGTERM, which SageMaker sends 120 s before it kills the container.

    A stream begins anew in every container, so there is no place in it to go on from: no
    checkpoints are kept.
    """

    def __init__(self) -> None:
        self.yes = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: object) -> None:
        self.yes = True


def main() -> None:
    """Stream the channel once for each epoch, train, and save the model."""
    options = parse_options()
    stop = StopAsked()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    test = read_channel(options.test)
    network = build_network(options.hidden)
    optimizer = torch.optim.Adam(network.parameters(), lr=options.lr)
    for epoch in range(options.epochs):
        network.train()
        total, count = 0.0, 0
        for pixels, digits in batches(fifo_of(options.train, epoch), options.batch_size):
            loss = nn.functional.cross_entropy(network(pixels), digits)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(digits), count + len(digits)
            if stop.yes:
                break  # a FIFO may be left before its end
        right = accuracy(network, test)
        mean = total / max(count, 1)
        print(f"epoch={epoch + 1} train_loss={mean:.4f} test_accuracy={right:.4f}", flush=True)
        if stop.yes:
            print("asked to stop: saving what is learnt so far", flush=True)
            break
    model = {"hidden": options.hidden, "state_dict": network.state_dict()}
    torch.save(model, Path(options.model_dir) / "model.pt")


if __name__ == "__main__":
    main()
