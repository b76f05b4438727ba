"""Train a small network on handwritten digits, as a SageMaker training job.

Channels ``train`` and ``test`` hold CSV files without a header: the digit, then its 8 x 8 pixels
(0 to 16). The model goes to SM_MODEL_DIR as model.pt: the network's sizes and its weights.
Interrupted and started again, the training goes on where it was, and ends with the same model.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sagedock.runtime import Checkpoints, Stopped

PIXELS = 64
BRIGHTEST = 16.0
DIGITS = 10


def read_channel(folder: str) -> tuple[Tensor, Tensor]:
    """Return the pixels (n x 64, 0 to 1) and the digits (n) of every CSV file in ``folder``."""
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no .csv file: check the channel's S3 prefix")
    rows = np.concatenate([np.loadtxt(file, delimiter=",", ndmin=2) for file in files])
    pixels = torch.tensor(rows[:, 1:] / BRIGHTEST, dtype=torch.float32)
    return pixels, torch.tensor(rows[:, 0], dtype=torch.long)


def build_network(hidden: int) -> nn.Module:
    """Return a network with two hidden layers of ``hidden`` units."""
    return nn.Sequential(
        nn.Linear(PIXELS, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, DIGITS),
    )


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    batch_size: int,
) -> float:
    """Go through the data once, in a new order, and return the mean loss."""
    pixels, digits = data
    network.train()
    total = 0.0
    for batch in torch.randperm(len(digits)).split(batch_size):
        loss = nn.functional.cross_entropy(network(pixels[batch]), digits[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(digits)


@torch.no_grad()
def accuracy(network: nn.Module, data: tuple[Tensor, Tensor]) -> float:
    """Return the share of digits that the network names right."""
    pixels, digits = data
    network.eval()
    return (network(pixels).argmax(dim=1) == digits).float().mean().item()


def state_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return all that the rest of the training depends on, the order of the batches included."""
    return {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
    }


def restore(state: dict[str, Any], network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Go back to a state that ``state_of`` returned."""
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])


def learn(network: nn.Module, checkpoints: Checkpoints, options: argparse.Namespace) -> None:
    """Train up to the last epoch. Raises Stopped where SageMaker asks to stop."""
    train, test = read_channel(options.train), read_channel(options.test)
    print(f"{len(train[1])} digits to train on, {len(test[1])} to test on", flush=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=options.lr)
    if state := checkpoints.load():
        restore(state, network, optimizer)
    for epoch in range(checkpoints.done + 1, options.epochs + 1):
        loss = train_epoch(network, optimizer, train, options.batch_size)
        right = accuracy(network, test)
        print(f"epoch={epoch} train_loss={loss:.4f} test_accuracy={right:.4f}", flush=True)
        checkpoints.step(epoch, lambda: state_of(network, optimizer))


def main() -> None:
    """Read the channels, train, and save the model."""
    options = parse_options()
    torch.manual_seed(options.seed)
    # The network is so small that threads would mostly wait for one another.
    torch.set_num_threads(1)
    network = build_network(options.hidden)
    model = {"hidden": options.hidden, "state_dict": network.state_dict()}
    file = Path(options.model_dir) / "model.pt"
    try:
        with Checkpoints(every_s=options.checkpoint_every_s) as checkpoints:
            learn(network, checkpoints, options)
    except Stopped:
        print("asked to stop: saving what is learnt so far", flush=True)
        torch.save(model, file)
        raise
    torch.save(model, file)


def parse_options() -> argparse.Namespace:
    """Return the hyperparameters, and the folders that SageMaker names in SM_* variables."""
    return options_parser(__doc__).parse_args()


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """Return what reads the options that all trainings of the digits have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-every-s", type=float, default=30.0)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN", "data/digits/train"))
    parser.add_argument("--test", default=os.environ.get("SM_CHANNEL_TEST", "data/digits/test"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser


if __name__ == "__main__":
    main()
