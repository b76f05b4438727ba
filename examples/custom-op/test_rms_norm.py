"""The compiled RMSNorm against PyTorch's own: `python -m unittest` beside this file.

What needs a GPU is skipped, visibly, where there is none.
"""

import unittest

import torch
from fused import RMSNorm, rms_norm
from torch.nn.functional import rms_norm as reference

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 2e-5,
    torch.float16: 4e-3,
    torch.bfloat16: 3e-2,
}
SHAPES = [(3, 7), (5, 64), (2, 9, 1000), (33, 257), (64, 4096), (1, 1)]


def run(norm, x, weight, grad):
    x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
    y = norm(x, weight)
    y.backward(grad)
    return y.detach(), x.grad, weight.grad


def plain(x, weight):
    return reference(x, (x.shape[-1],), weight, 1e-6)


class Norm(unittest.TestCase):
    def test_it_is_pytorchs(self):
        for device in DEVICES:
            for dtype, tolerance in TOLERANCE.items():
                for shape in SHAPES:
                    with self.subTest(device=device, dtype=dtype, shape=shape):
                        self.compare(device, dtype, tolerance, shape)

    def compare(self, device, dtype, tolerance, shape):
        torch.manual_seed(0)
        x = torch.randn(shape, dtype=dtype, device=device) * 3
        weight = torch.rand(shape[-1], dtype=dtype, device=device) + 0.5
        grad = torch.randn(shape, dtype=dtype, device=device)
        exact = torch.float64 if dtype == torch.float64 else torch.float32
        expected = run(plain, *(each.to(exact) for each in (x, weight, grad)))
        found = run(rms_norm, x, weight, grad)
        for name, ours, theirs in zip(("y", "dx", "dweight"), found, expected, strict=True):
            self.assertEqual(ours.dtype, dtype)
            scale = theirs.abs().max().clamp(min=1)
            error = ((ours.to(exact) - theirs).abs().max() / scale).item()
            self.assertLess(error, tolerance, name)

    def test_autograd_agrees_with_differences(self):
        for device in DEVICES:
            x = torch.randn(4, 6, dtype=torch.float64, device=device, requires_grad=True)
            weight = torch.randn(6, dtype=torch.float64, device=device, requires_grad=True)
            self.assertTrue(torch.autograd.gradcheck(rms_norm, (x, weight)))

    def test_the_operators_keep_the_rules_of_torch_library(self):
        for device in DEVICES:
            x = torch.randn(4, 6, device=device, requires_grad=True)
            weight = torch.randn(6, device=device, requires_grad=True)
            found = torch.library.opcheck(torch.ops.fused.rms_norm_forward, (x, weight, 1e-6))
            self.assertEqual(set(found.values()), {"SUCCESS"})

    def test_torch_compile_sees_one_graph(self):
        norm = RMSNorm(32)
        whole = torch.compile(lambda x: norm(x).sum(), backend="aot_eager", fullgraph=True)
        x = torch.randn(8, 32)
        whole(x).backward()
        torch.testing.assert_close(whole(x), norm(x).sum())
        self.assertIsNotNone(norm.weight.grad)

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaisesRegex(RuntimeError, "weight must have 6 elements"):
            rms_norm(torch.randn(4, 6), torch.ones(5))
        with self.assertRaisesRegex(RuntimeError, "one dtype"):
            rms_norm(torch.randn(4, 6), torch.ones(6, dtype=torch.float64))

    @unittest.skipUnless(torch.cuda.is_available(), "no GPU here: the CUDA code is not run")
    def test_cpu_and_gpu_agree(self):
        given = torch.randn(17, 333), torch.randn(333), torch.randn(17, 333)
        there, here = run(rms_norm, *(each.cuda() for each in given)), run(rms_norm, *given)
        for ours, theirs in zip(there, here, strict=True):
            torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
    unittest.main()
