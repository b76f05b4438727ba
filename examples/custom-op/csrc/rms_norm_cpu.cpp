// RMSNorm on the CPU, and what the operators are called.
//
//   y = x * rstd * weight, with rstd = 1 / sqrt(mean(x^2) + eps), over the last dimension
//
// Sums are made in float for half and bfloat16, and so is rstd.
#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>
#include <vector>

namespace {

constexpr int64_t kGrain = 16;  // rows that are worth a thread

void check(const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(x.dim() == 2, "x must have 2 dimensions, not ", x.dim());
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == x.size(1),
              "weight must have ", x.size(1), " elements, as x has columns");
  TORCH_CHECK(x.scalar_type() == weight.scalar_type(), "x and weight must have one dtype");
  TORCH_CHECK(x.is_contiguous() && weight.is_contiguous(), "x and weight must be contiguous");
}

std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& x, const at::Tensor& weight,
                                           double eps) {
  check(x, weight);
  const int64_t rows = x.size(0), columns = x.size(1);
  at::Tensor y = at::empty_like(x);
  at::Tensor rstd = at::empty({rows}, x.options().dtype(at::toOpMathType(x.scalar_type())));
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "rms_norm_forward", [&] {
        using sum_t = at::opmath_type<scalar_t>;
        const scalar_t* xs = x.const_data_ptr<scalar_t>();
        const scalar_t* ws = weight.const_data_ptr<scalar_t>();
        scalar_t* ys = y.mutable_data_ptr<scalar_t>();
        sum_t* rs = rstd.mutable_data_ptr<sum_t>();
        at::parallel_for(0, rows, kGrain, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const scalar_t* from = xs + row * columns;
            scalar_t* to = ys + row * columns;
            sum_t squares = 0;
            for (int64_t i = 0; i < columns; ++i) {
              squares += sum_t(from[i]) * sum_t(from[i]);
            }
            const sum_t r = sum_t(1) / std::sqrt(squares / columns + sum_t(eps));
            for (int64_t i = 0; i < columns; ++i) {
              to[i] = scalar_t(sum_t(from[i]) * r * sum_t(ws[i]));
            }
            rs[row] = r;
          }
        });
      });
  return {y, rstd};
}

std::tuple<at::Tensor, at::Tensor> backward(const at::Tensor& grad, const at::Tensor& x,
                                            const at::Tensor& weight, const at::Tensor& rstd) {
  check(x, weight);
  TORCH_CHECK(grad.sizes() == x.sizes() && grad.is_contiguous(), "grad must be like x");
  const int64_t rows = x.size(0), columns = x.size(1);
  at::Tensor dx = at::empty_like(x), dweight = at::empty_like(weight);
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "rms_norm_backward", [&] {
        using sum_t = at::opmath_type<scalar_t>;
        const scalar_t* gs = grad.const_data_ptr<scalar_t>();
        const scalar_t* xs = x.const_data_ptr<scalar_t>();
        const scalar_t* ws = weight.const_data_ptr<scalar_t>();
        const sum_t* rs = rstd.const_data_ptr<sum_t>();
        scalar_t* dxs = dx.mutable_data_ptr<scalar_t>();
        scalar_t* dws = dweight.mutable_data_ptr<scalar_t>();
        at::parallel_for(0, rows, kGrain, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const int64_t at = row * columns;
            const sum_t r = rs[row];
            sum_t along = 0;  // what of the gradient points along x
            for (int64_t i = 0; i < columns; ++i) {
              along += sum_t(gs[at + i]) * sum_t(ws[i]) * sum_t(xs[at + i]);
            }
            along *= r * r / columns;
            for (int64_t i = 0; i < columns; ++i) {
              dxs[at + i] =
                  scalar_t(r * (sum_t(gs[at + i]) * sum_t(ws[i]) - sum_t(xs[at + i]) * along));
            }
          }
        });
        // By columns, so that no two threads add to one number.
        at::parallel_for(0, columns, kGrain, [&](int64_t begin, int64_t end) {
          std::vector<sum_t> sums(end - begin, 0);
          for (int64_t row = 0; row < rows; ++row) {
            for (int64_t i = begin; i < end; ++i) {
              sums[i - begin] += sum_t(gs[row * columns + i]) * sum_t(xs[row * columns + i]) * rs[row];
            }
          }
          for (int64_t i = begin; i < end; ++i) {
            dws[i] = scalar_t(sums[i - begin]);
          }
        });
      });
  return {dx, dweight};
}

}  // namespace

TORCH_LIBRARY(fused, m) {
  m.def("rms_norm_forward(Tensor x, Tensor weight, float eps) -> (Tensor, Tensor)");
  m.def("rms_norm_backward(Tensor grad, Tensor x, Tensor weight, Tensor rstd) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(fused, CPU, m) {
  m.impl("rms_norm_forward", &forward);
  m.impl("rms_norm_backward", &backward);
}
