#include "backbone/layers/fused_attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "backbone/layers/row_kernels.h"

namespace unival {
namespace layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The Fortran interface, which every BLAS has; column-major.
using Sgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*,
                       const float*, const int*, const float*, const int*, const float*, float*,
                       const int*);

// The BLAS that libtorch itself uses, called directly: libtorch's batched product would call it
// through the dispatcher once per head and row.
Sgemm FindSgemm() {
  static const auto sgemm = reinterpret_cast<Sgemm>(dlsym(RTLD_DEFAULT, "sgemm_"));
  return sgemm;
}

struct Matrix {
  const float* data;
  int64_t stride;  // between rows
  bool transposed = false;
};

// Row-major out [m, n] = alpha * a [m, k] b [k, n].
void Multiply(int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b,
              float* out, int64_t out_stride) {
  const int rows = m, columns = n, inner = k;
  const int a_stride = a.stride, b_stride = b.stride, stride = out_stride;
  const float beta = 0;
  FindSgemm()(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &columns, &rows, &inner, &alpha,
              b.data, &b_stride, a.data, &a_stride, &beta, out, &stride);
}

struct Sizes {
  int64_t batch, heads, queries, keys, model, width, bias_batch;

  int64_t query(int64_t b, int64_t h) const { return b * queries * model + h * width; }
  int64_t key(int64_t b, int64_t h) const { return b * keys * model + h * width; }
  int64_t pair(int64_t b, int64_t h) const { return (b * heads + h) * queries * keys; }
  int64_t bias(int64_t b, int64_t h) const { return pair(bias_batch == 1 ? 0 : b, h); }
};

Sizes SizesOf(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& bias,
              int64_t heads) {
  const int64_t model = queries.size(2);
  return {queries.size(0), heads,         queries.size(1), keys.size(1),
          model,           model / heads, bias.size(0)};
}

// An argument that is left out is an empty tensor here: libtorch's autograd functions do not take
// undefined ones.
const float* Data(const at::Tensor& x) { return x.numel() > 0 ? x.data_ptr<float>() : nullptr; }

at::Tensor OrEmpty(const at::Tensor& x, const at::Tensor& like) {
  return x.defined() ? x : at::empty({0}, like.options());
}

struct Forward {
  Sizes n;
  float scale;
  const float *queries, *keys, *values, *bias, *mask, *head_scale;
  float *probabilities, *out;

  // One row of the batch, one head. `p` [T, S] receives the probabilities.
  void Head(int64_t b, int64_t h, float* p) const {
    Multiply(n.queries, n.keys, n.width, scale, {queries + n.query(b, h), n.model},
             {keys + n.key(b, h), n.model, true}, p, n.keys);
    const float* added = bias + n.bias(b, h);
    const float* masked = mask == nullptr ? nullptr : mask + b * n.keys;
    for (int64_t t = 0; t < n.queries; ++t) {
      SoftmaxRow(p + t * n.keys, added + t * n.keys, masked, n.keys);
    }
    Multiply(n.queries, n.width, n.keys, head_scale == nullptr ? 1.0f : head_scale[h], {p, n.keys},
             {values + n.key(b, h), n.model}, out + n.query(b, h), n.model);
  }

  void Run() const {
    at::parallel_for(0, n.batch * n.heads, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(probabilities == nullptr ? n.queries * n.keys : 0);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t b = i / n.heads, h = i % n.heads;
        Head(b, h, probabilities == nullptr ? scratch.data() : probabilities + n.pair(b, h));
      }
    });
  }
};

struct Backward {
  Sizes n;
  float scale;
  const float *queries, *keys, *values, *probabilities, *head_scale, *gradient;
  float *d_queries, *d_keys, *d_values, *d_bias, *d_head_scale;  // d_bias may be null

  // `d` [T, S] is scratch.
  void Head(int64_t b, int64_t h, float* d) const {
    const Matrix out_gradient{gradient + n.query(b, h), n.model};
    const float* p = probabilities + n.pair(b, h);
    const float factor = head_scale == nullptr ? 1.0f : head_scale[h];
    Multiply(n.keys, n.width, n.queries, factor, {p, n.keys, true}, out_gradient,
             d_values + n.key(b, h), n.model);
    Multiply(n.queries, n.keys, n.width, 1.0f, out_gradient, {values + n.key(b, h), n.model, true},
             d, n.keys);
    float dot = 0;
    for (int64_t t = 0; t < n.queries; ++t) {
      dot += SoftmaxGradientRow(p + t * n.keys, d + t * n.keys, factor, n.keys);
    }
    d_head_scale[b * n.heads + h] = dot;
    if (d_bias != nullptr) AddTo(d_bias + n.bias(b, h), d);
    Multiply(n.queries, n.width, n.keys, scale, {d, n.keys}, {keys + n.key(b, h), n.model},
             d_queries + n.query(b, h), n.model);
    Multiply(n.keys, n.width, n.queries, scale, {d, n.keys, true},
             {queries + n.query(b, h), n.model}, d_keys + n.key(b, h), n.model);
  }

  void AddTo(float* sum, const float* d) const {
    for (int64_t i = 0; i < n.queries * n.keys; ++i) sum[i] += d[i];
  }

  // Threads split the work by heads and not by batch rows, because rows that share a bias add their
  // gradients to the same memory.
  void Run() const {
    at::parallel_for(0, n.heads, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(n.queries * n.keys);
      for (int64_t h = begin; h < end; ++h) {
        for (int64_t b = 0; b < n.batch; ++b) Head(b, h, scratch.data());
      }
    });
  }
};

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& queries,
                            const at::Tensor& keys, const at::Tensor& values,
                            const at::Tensor& bias, const at::Tensor& mask,
                            const at::Tensor& head_scale, int64_t heads, double scale) {
    const at::Tensor q = queries.contiguous(), k = keys.contiguous(), v = values.contiguous();
    const at::Tensor added = bias.contiguous(), masked = mask.contiguous();
    const Sizes n = SizesOf(q, k, added, heads);
    bool differentiable = false;
    for (const at::Tensor& x : {queries, keys, values, bias, head_scale}) {
      differentiable |= x.requires_grad();
    }
    at::Tensor probabilities;
    if (differentiable) {
      probabilities = at::empty({n.batch, n.heads, n.queries, n.keys}, q.options());
    }
    at::Tensor out = at::empty({n.batch, n.queries, n.model}, q.options());
    Forward{n,
            static_cast<float>(scale),
            Data(q),
            Data(k),
            Data(v),
            Data(added),
            Data(masked),
            Data(head_scale),
            differentiable ? probabilities.data_ptr<float>() : nullptr,
            out.data_ptr<float>()}
        .Run();
    if (differentiable) context->save_for_backward({q, k, v, probabilities, head_scale});
    context->saved_data["scale"] = scale;
    context->saved_data["heads"] = heads;
    context->saved_data["bias_batch"] = bias.size(0);
    context->saved_data["bias_gradient"] = bias.requires_grad();
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &p = saved[3], &c = saved[4];
    const int64_t heads = context->saved_data["heads"].toInt();
    const int64_t bias_batch = context->saved_data["bias_batch"].toInt();
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor d_bias;
    if (context->saved_data["bias_gradient"].toBool()) {
      d_bias = at::zeros({bias_batch, heads, q.size(1), k.size(1)}, q.options());
    }
    Sizes n = SizesOf(q, k, p, heads);
    n.bias_batch = bias_batch;
    const at::Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    const at::Tensor dc = at::empty({n.batch, heads}, q.options());
    Backward{n,
             static_cast<float>(context->saved_data["scale"].toDouble()),
             Data(q),
             Data(k),
             Data(v),
             Data(p),
             Data(c),
             Data(gradient),
             dq.data_ptr<float>(),
             dk.data_ptr<float>(),
             dv.data_ptr<float>(),
             d_bias.defined() ? d_bias.data_ptr<float>() : nullptr,
             dc.data_ptr<float>()}
        .Run();
    return {dq, dk, dv, d_bias, {}, c.numel() > 0 ? dc.sum(0) : at::Tensor(), {}, {}};
  }
};

}  // namespace

// Under autocast the projections come out narrower than `x`.
bool CanFuseAttention(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && !at::autocast::is_cpu_enabled() &&
         FindSgemm() != nullptr;
}

at::Tensor FusedAttention(const at::Tensor& queries, const at::Tensor& keys,
                          const at::Tensor& values, const at::Tensor& bias, const at::Tensor& mask,
                          const at::Tensor& head_scale, int64_t heads, double scale) {
  TORCH_CHECK(bias.size(2) == queries.size(1) && bias.size(3) == keys.size(1) &&
                  (bias.size(0) == 1 || bias.size(0) == queries.size(0)),
              "attention bias ", bias.sizes(), " does not fit ", queries.sizes(), " queries and ",
              keys.sizes(), " keys");
  return AttentionFunction::apply(queries, keys, values, bias, OrEmpty(mask, bias),
                                  OrEmpty(head_scale, bias), heads, scale);
}

}  // namespace layers
}  // namespace unival
