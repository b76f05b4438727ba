// RMSNorm on a GPU: one block of threads for each row, one pass over x forward, one backward.
#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <tuple>

namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr int kRowsAtOnce = 8;  // of a block that sums columns

template <typename sum_t>
__device__ sum_t sum_of_block(sum_t value) {
  __shared__ sum_t of_warps[kThreads / kWarp];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_down_sync(0xffffffff, value, offset);
  }
  if (threadIdx.x % kWarp == 0) {
    of_warps[threadIdx.x / kWarp] = value;
  }
  __syncthreads();
  sum_t total = 0;
  for (int warp = 0; warp < kThreads / kWarp; ++warp) {
    total += of_warps[warp];
  }
  return total;
}

template <typename scalar_t, typename sum_t>
__global__ void forward_kernel(const scalar_t* __restrict__ x, const scalar_t* __restrict__ weight,
                               scalar_t* __restrict__ y, sum_t* __restrict__ rstd, int64_t columns,
                               sum_t eps) {
  const int64_t at = int64_t(blockIdx.x) * columns;
  sum_t squares = 0;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    const sum_t value = x[at + i];
    squares += value * value;
  }
  const sum_t r = sum_t(1) / sqrt(sum_of_block(squares) / columns + eps);
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    y[at + i] = scalar_t(sum_t(x[at + i]) * r * sum_t(weight[i]));
  }
  if (threadIdx.x == 0) {
    rstd[blockIdx.x] = r;
  }
}

template <typename scalar_t, typename sum_t>
__global__ void dx_kernel(const scalar_t* __restrict__ grad, const scalar_t* __restrict__ x,
                          const scalar_t* __restrict__ weight, const sum_t* __restrict__ rstd,
                          scalar_t* __restrict__ dx, int64_t columns) {
  const int64_t at = int64_t(blockIdx.x) * columns;
  const sum_t r = rstd[blockIdx.x];
  sum_t along = 0;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    along += sum_t(grad[at + i]) * sum_t(weight[i]) * sum_t(x[at + i]);
  }
  along = sum_of_block(along) * r * r / columns;
  for (int64_t i = threadIdx.x; i < columns; i += kThreads) {
    dx[at + i] =
        scalar_t(r * (sum_t(grad[at + i]) * sum_t(weight[i]) - sum_t(x[at + i]) * along));
  }
}

// Each block has 32 columns; the same sum in every run, for nothing is added atomically.
template <typename scalar_t, typename sum_t>
__global__ void dweight_kernel(const scalar_t* __restrict__ grad, const scalar_t* __restrict__ x,
                               const sum_t* __restrict__ rstd, scalar_t* __restrict__ dweight,
                               int64_t rows, int64_t columns) {
  __shared__ sum_t sums[kRowsAtOnce][kWarp];
  const int64_t column = int64_t(blockIdx.x) * kWarp + threadIdx.x;
  sum_t sum = 0;
  if (column < columns) {
    for (int64_t row = threadIdx.y; row < rows; row += kRowsAtOnce) {
      const int64_t at = row * columns + column;
      sum += sum_t(grad[at]) * sum_t(x[at]) * rstd[row];
    }
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y == 0 && column < columns) {
    for (int other = 1; other < kRowsAtOnce; ++other) {
      sum += sums[other][threadIdx.x];
    }
    dweight[column] = scalar_t(sum);
  }
}

void check(const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(x.dim() == 2, "x must have 2 dimensions, not ", x.dim());
  TORCH_CHECK(weight.dim() == 1 && weight.size(0) == x.size(1),
              "weight must have ", x.size(1), " elements, as x has columns");
  TORCH_CHECK(x.scalar_type() == weight.scalar_type(), "x and weight must have one dtype");
  TORCH_CHECK(x.device() == weight.device(), "x and weight must be on one device");
  TORCH_CHECK(x.is_contiguous() && weight.is_contiguous(), "x and weight must be contiguous");
}

std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& x, const at::Tensor& weight,
                                           double eps) {
  check(x, weight);
  const c10::cuda::CUDAGuard guard(x.device());
  const int64_t rows = x.size(0), columns = x.size(1);
  at::Tensor y = at::empty_like(x);
  at::Tensor rstd = at::empty({rows}, x.options().dtype(at::toOpMathType(x.scalar_type())));
  if (x.numel() == 0) {
    return {y, rstd};
  }
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "rms_norm_forward", [&] {
        using sum_t = at::opmath_type<scalar_t>;
        forward_kernel<scalar_t, sum_t><<<rows, kThreads, 0, c10::cuda::getCurrentCUDAStream()>>>(
            x.const_data_ptr<scalar_t>(), weight.const_data_ptr<scalar_t>(),
            y.mutable_data_ptr<scalar_t>(), rstd.mutable_data_ptr<sum_t>(), columns, sum_t(eps));
        C10_CUDA_KERNEL_LAUNCH_CHECK();
      });
  return {y, rstd};
}

std::tuple<at::Tensor, at::Tensor> backward(const at::Tensor& grad, const at::Tensor& x,
                                            const at::Tensor& weight, const at::Tensor& rstd) {
  check(x, weight);
  TORCH_CHECK(grad.sizes() == x.sizes() && grad.is_contiguous(), "grad must be like x");
  const c10::cuda::CUDAGuard guard(x.device());
  const int64_t rows = x.size(0), columns = x.size(1);
  at::Tensor dx = at::empty_like(x), dweight = at::empty_like(weight);
  if (x.numel() == 0) {
    return {dx, dweight.zero_()};
  }
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "rms_norm_backward", [&] {
        using sum_t = at::opmath_type<scalar_t>;
        const auto stream = c10::cuda::getCurrentCUDAStream();
        dx_kernel<scalar_t, sum_t><<<rows, kThreads, 0, stream>>>(
            grad.const_data_ptr<scalar_t>(), x.const_data_ptr<scalar_t>(),
            weight.const_data_ptr<scalar_t>(), rstd.const_data_ptr<sum_t>(),
            dx.mutable_data_ptr<scalar_t>(), columns);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
        const dim3 threads(kWarp, kRowsAtOnce);
        dweight_kernel<scalar_t, sum_t><<<(columns + kWarp - 1) / kWarp, threads, 0, stream>>>(
            grad.const_data_ptr<scalar_t>(), x.const_data_ptr<scalar_t>(),
            rstd.const_data_ptr<sum_t>(), dweight.mutable_data_ptr<scalar_t>(), rows, columns);
        C10_CUDA_KERNEL_LAUNCH_CHECK();
      });
  return {dx, dweight};
}

}  // namespace

TORCH_LIBRARY_IMPL(fused, CUDA, m) {
  m.impl("rms_norm_forward", &forward);
  m.impl("rms_norm_backward", &backward);
}
