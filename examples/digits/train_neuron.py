"""Train the network of train.py on Neuron cores by PyTorch/XLA; where PJRT_DEVICE is CPU, on a CPU.

Started by torchrun, each process has a core and its share of every batch, and ``optimizer_step``
averages the gradients. Each step of a process is one graph, compiled when it first comes: so every
batch is of one size, and what does not fill one is left out. ``--steps`` ends an epoch early, as
``neuron_parallel_compile`` wants it.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch_xla
import torch_xla.core.xla_model as xm
import torch_xla.distributed.xla_backend  # the backend "xla" of torch.distributed
import torch_xla.runtime as xr
from torch import Tensor, nn
from train import accuracy, build_network, options_parser, read_channel

from sagedock.runtime import Checkpoints, Stopped

#: neuron_parallel_compile sets it: nothing is computed then, and every result is made up.
ONLY_GRAPHS = os.environ.get("NEURON_EXTRACT_GRAPHS_ONLY") == "1"


@contextmanager
def process_group() -> Iterator[None]:
    """Join the other processes; alone there is nobody to join."""
    if not dist.is_torchelastic_launched():
        yield
        return
    dist.init_process_group(os.environ["SAGEDOCK_DISTRIBUTED_BACKEND"])
    if xr.world_size() != dist.get_world_size():
        print(
            f"{dist.get_world_size()} processes, {xr.world_size()} to PyTorch/XLA: on a "
            f"{xr.device_type()} each trains on its own share alone",
            flush=True,
        )
    try:
        yield
    finally:
        dist.destroy_process_group()


def place() -> tuple[int, int]:
    """Return this process's rank, and the number of processes."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def shares(count: int, batch_size: int, steps: int | None) -> Iterator[Tensor]:
    """Yield this process's part of each whole batch, the same order on every process."""
    rank, processes = place()
    whole = torch.randperm(count)[: count - count % batch_size]
    for batch in whole.split(batch_size)[:steps]:
        yield batch[rank::processes]


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    options: argparse.Namespace,
) -> float:
    """Go through the data once, and return the mean loss of this process's batches."""
    pixels, digits = data
    device = torch_xla.device()
    network.train()
    losses = []
    for mine in shares(len(digits), options.batch_size, options.steps):
        loss = nn.functional.cross_entropy(
            network(pixels[mine].to(device)), digits[mine].to(device)
        )
        optimizer.zero_grad()
        loss.backward()
        xm.optimizer_step(optimizer)
        torch_xla.sync()
        losses.append(loss.detach())
    return torch.stack([loss.cpu() for loss in losses]).mean().item()


def on_cpu(state: Any) -> Any:
    """Return a state whose tensors are the CPU's: those of a device are saved by no format."""
    if isinstance(state, Tensor):
        return state.cpu()
    if isinstance(state, dict):
        return {name: on_cpu(value) for name, value in state.items()}
    return [on_cpu(value) for value in state] if isinstance(state, list) else state


def state_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return all that the rest of the training depends on."""
    found = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    return {**on_cpu(found), "random": torch.get_rng_state()}


def restore(state: dict[str, Any], network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Go back to a state that ``state_of`` returned."""
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])


def learn(network: nn.Module, options: argparse.Namespace) -> None:
    """Train up to the last epoch. Raises Stopped where SageMaker asks to stop."""
    data, test = read_channel(options.train), read_channel(options.test)
    on_device = (test[0].to(torch_xla.device()), test[1].to(torch_xla.device()))
    rank, processes = place()
    print(f"rank {rank} of {processes} on {torch_xla.device()}, {xr.device_type()}", flush=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=options.lr)
    with Checkpoints(every_s=options.checkpoint_every_s) as checkpoints:
        if not ONLY_GRAPHS and (state := checkpoints.load()):
            restore(state, network, optimizer)
        for epoch in range(checkpoints.done + 1, options.epochs + 1):
            loss = train_epoch(network, optimizer, data, options)
            right = accuracy(network, on_device)
            if rank == 0:
                print(f"epoch={epoch} train_loss={loss:.4f} test_accuracy={right:.4f}", flush=True)
            if not ONLY_GRAPHS:
                checkpoints.step(epoch, lambda: state_of(network, optimizer))


def save(network: nn.Module, options: argparse.Namespace) -> None:
    """Save the model once, as train.py does: it serves on any device."""
    if ONLY_GRAPHS or place()[0] != 0:
        return
    model = {"hidden": options.hidden, "state_dict": on_cpu(network.state_dict())}
    torch.save(model, Path(options.model_dir) / "model.pt")


def main() -> None:
    """Read the channels, train, and save the model."""
    parser = options_parser(__doc__)
    parser.add_argument("--steps", type=int, help="steps of an epoch; all by default")
    options = parser.parse_args()
    torch.manual_seed(options.seed)  # the same weights and the same order on every process
    with process_group():
        network = build_network(options.hidden).to(torch_xla.device())
        try:
            learn(network, options)
        except Stopped:
            save(network, options)
            raise
        save(network, options)


if __name__ == "__main__":
    main()
