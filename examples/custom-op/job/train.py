"""Train a small network with the compiled RMSNorm, on a GPU where there is one."""

import argparse
import os
from pathlib import Path

import torch
from fused import RMSNorm
from torch import nn

SIZE, CLASSES = 64, 4


def data(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points of some Gaussians, at scales that differ by a factor of a hundred."""
    made = torch.Generator().manual_seed(0)
    labels = torch.randint(CLASSES, (count,), generator=made)
    centres = torch.randn(CLASSES, SIZE, generator=made)
    points = centres[labels] + 0.5 * torch.randn(count, SIZE, generator=made)
    return points * 10 ** (2 * torch.rand(count, 1, generator=made)), labels


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = nn.Sequential(
        RMSNorm(SIZE), nn.Linear(SIZE, 128), nn.GELU(), RMSNorm(128), nn.Linear(128, CLASSES)
    ).to(device)
    points, labels = (each.to(device) for each in data(2_048))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(1, given.epochs + 1):
        loss = nn.functional.cross_entropy(model(points), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"epoch={epoch} loss={loss.item():.4f} device={device}", flush=True)
    right = (model(points).argmax(1) == labels).float().mean().item()
    print(f"accuracy={right:.3f}", flush=True)
    torch.save(model.state_dict(), Path(os.environ["SM_MODEL_DIR"]) / "model.pt")


if __name__ == "__main__":
    main()
