"""A fused RMSNorm: compiled operators, told to autograd and to torch.compile."""

from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["RMSNorm", "rms_norm"]

(_library,) = Path(__file__).parent.glob("_ops.*.so")
torch.ops.load_library(str(_library))
_ops = torch.ops.fused


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Return ``x`` over the root of its mean square in the last dimension, times ``weight``.

    In the dtype of ``x``; sums are made in float32, or in float64 for float64.
    """
    rows = x.reshape(-1, x.shape[-1]).contiguous()
    y, _ = _ops.rms_norm_forward(rows, weight.contiguous(), eps)
    return y.view(x.shape)


class RMSNorm(nn.Module):
    """``rms_norm`` with a weight that is learned."""

    def __init__(self, size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized ``x``."""
        return rms_norm(x, self.weight, self.eps)


def _sums(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


@torch.library.register_fake("fused::rms_norm_forward")
def _(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:  # noqa: ARG001
    return torch.empty_like(x), x.new_empty(x.shape[0], dtype=_sums(x))


@torch.library.register_fake("fused::rms_norm_backward")
def _(grad: Tensor, x: Tensor, weight: Tensor, rstd: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG001
    return torch.empty_like(x), torch.empty_like(weight)


def _remember(ctx: torch.autograd.function.FunctionCtx, inputs: tuple, output: tuple) -> None:
    x, weight, _ = inputs
    _, rstd = output
    ctx.mark_non_differentiable(rstd)
    ctx.save_for_backward(x, weight, rstd)


def _backward(
    ctx: torch.autograd.function.FunctionCtx, grad: Tensor, _: Tensor
) -> tuple[Tensor, Tensor, None]:
    return (*_ops.rms_norm_backward(grad.contiguous(), *ctx.saved_tensors), None)


torch.library.register_autograd("fused::rms_norm_forward", _backward, setup_context=_remember)
