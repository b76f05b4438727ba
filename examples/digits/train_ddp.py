"""Train the network of train.py on several processes, over one or many hosts.

Started by torchrun (``distribution={"torch_distributed": {"enabled": True}}``), each process takes
its share of every batch, and DistributedDataParallel averages the gradients. ``--batch-size`` is
that of all processes together: the loss is the same on one process or on many.
"""

import argparse
import os
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from train import accuracy, build_network, parse_options, read_channel, restore, state_of

from sagedock.runtime import Checkpoints, Stopped


@contextmanager
def process_group():
    """Join the other processes, and yield the device of this one; alone there is nobody to join."""
    if not dist.is_torchelastic_launched():
        yield torch.device("cpu")
        return
    gpu = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpu else torch.device("cpu")
    dist.init_process_group()  # by device: NCCL on GPUs, gloo on CPUs
    try:
        yield device
    finally:
        dist.destroy_process_group()


def place() -> tuple[int, int]:
    """Return this process's rank, and the number of processes."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def summed(value: Tensor) -> float:
    """Return the sum of a number over all processes."""
    if dist.is_initialized():
        dist.all_reduce(value)
    return value.item()


def train_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    batch_size: int,
) -> float:
    """Go through the data once, in the same new order on every process; return the mean loss."""
    pixels, digits = data
    rank, processes = place()
    network.train()
    total = torch.zeros((), device=pixels.device)
    for batch in torch.randperm(len(digits)).split(batch_size):
        mine = batch[rank::processes]
        loss = nn.functional.cross_entropy(network(pixels[mine]), digits[mine], reduction="sum")
        optimizer.zero_grad()
        # The gradients are averaged over processes: so it is the mean over the whole batch, whether
        # or not it could be shared evenly.
        (loss * processes / len(batch)).backward()
        optimizer.step()
        total += loss.detach()
    return summed(total) / len(digits)


def learn(network: nn.Module, options: argparse.Namespace, device: torch.device) -> None:
    """Train up to the last epoch. Raises Stopped, on all processes after the same epoch."""
    train_data = tuple(part.to(device) for part in read_channel(options.train))
    test_data = tuple(part.to(device) for part in read_channel(options.test))
    rank, processes = place()
    if rank == 0:
        print(f"{processes} process(es), {options.batch_size} digits a batch", flush=True)
    shared = nn.parallel.DistributedDataParallel(network) if dist.is_initialized() else network
    optimizer = torch.optim.Adam(network.parameters(), lr=options.lr)
    with Checkpoints(every_s=options.checkpoint_every_s) as checkpoints:
        if state := checkpoints.load():
            restore(state, network, optimizer)
        for epoch in range(checkpoints.done + 1, options.epochs + 1):
            loss = train_epoch(shared, optimizer, train_data, options.batch_size)
            if rank == 0:
                right = accuracy(network, test_data)
                print(f"epoch={epoch} train_loss={loss:.9f} test_accuracy={right:.4f}", flush=True)
            checkpoints.step(epoch, lambda: state_of(network, optimizer))


def save(network: nn.Module, options: argparse.Namespace) -> None:
    """Save the model once."""
    if place()[0] == 0:
        model = {"hidden": options.hidden, "state_dict": network.state_dict()}
        torch.save(model, Path(options.model_dir) / "model.pt")


def train(device: torch.device) -> None:
    """Read the channels, train, and save the model."""
    options = parse_options()
    torch.manual_seed(options.seed)  # the same weights and the same order on every process
    torch.set_num_threads(1)
    network = build_network(options.hidden).to(device)
    try:
        learn(network, options, device)
    except Stopped:
        save(network, options)
        raise
    save(network, options)


if __name__ == "__main__":
    with process_group() as its_device:
        train(its_device)
