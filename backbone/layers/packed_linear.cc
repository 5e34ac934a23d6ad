#include "backbone/layers/packed_linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cstring>
#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backbone/layers/quantization_kernels.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace unival {
namespace layers {
namespace {

using dnnl::memory;

// Weights are packed in the layout that is best for this number of rows, as a search step has.
constexpr int64_t kUsualRows = 8;
// Without AMX, a bfloat16 product with up to this many rows is limited by reading the weights, and
// faster because they are half as large. With more rows, float32 sums are faster.
constexpr int64_t kFewRows = 16;
// Products that one thread keeps ready.
constexpr size_t kKeptProducts = 512;
// Floats that are worth a second thread.
constexpr int64_t kGrain = 16384;

bool Has(dnnl_cpu_isa_t isa) {
  static const auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (effective & isa) == static_cast<unsigned>(isa);
}

// libtorch may bring a oneDNN of its own, whose functions then come first.
bool HasProducts() {
  static const bool has = dnnl_version()->major == DNNL_VERSION_MAJOR && Has(dnnl_cpu_isa_avx2);
  return has;
}

// Without VNNI the processor adds pairs of products in 16 bits. 2 * 127 * 255 does not fit into 16
// bits with a sign; 2 * 63 * 255 does.
int LargestWeightCode() {
  return Has(dnnl_cpu_isa_avx512_core_vnni) || Has(dnnl_cpu_isa_avx2_vnni) ? 127 : 63;
}

const dnnl::engine& Engine() {
  static const auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

struct Types {
  memory::data_type source, weights, result;
};

Types TypesOf(InferencePrecision precision) {
  using Type = memory::data_type;
  if (precision == InferencePrecision::kInt8) return {Type::u8, Type::s8, Type::s32};
  if (precision == InferencePrecision::kBFloat16) return {Type::bf16, Type::bf16, Type::f32};
  return {Type::f32, Type::f32, Type::f32};
}

memory::desc Plain(int64_t rows, int64_t columns, memory::data_type type) {
  return {{rows, columns}, type, memory::format_tag::ab};
}

struct Shape {
  InferencePrecision precision;
  int64_t rows, in, out;
  bool has_bias;

  bool operator<(const Shape& other) const { return Key() < other.Key(); }

 private:
  std::tuple<InferencePrecision, int64_t, int64_t, int64_t, bool> Key() const {
    return {precision, rows, in, out, has_bias};
  }
};

dnnl::matmul::primitive_desc Describe(const Shape& shape) {
  const Types types = TypesOf(shape.precision);
  const memory::desc source = Plain(shape.rows, shape.in, types.source);
  const memory::desc weights({shape.in, shape.out}, types.weights, memory::format_tag::any);
  const memory::desc result = Plain(shape.rows, shape.out, types.result);
  if (!shape.has_bias) return {dnnl::matmul::desc(source, weights, result), Engine()};
  const memory::desc bias = Plain(1, shape.out, memory::data_type::f32);
  return {dnnl::matmul::desc(source, weights, bias, result), Engine()};
}

// A product ready to run, with the memory objects that its pointers are put into.
struct Product {
  explicit Product(const Shape& shape)
      : description(Describe(shape)),
        product(description),
        source(description.src_desc(), Engine(), nullptr),
        result(description.dst_desc(), Engine(), nullptr) {
    arguments[DNNL_ARG_SRC] = source;
    arguments[DNNL_ARG_DST] = result;
    if (!shape.has_bias) return;
    bias = memory(Plain(1, shape.out, memory::data_type::f32), Engine(), nullptr);
    arguments[DNNL_ARG_BIAS] = bias;
  }

  dnnl::matmul::primitive_desc description;
  dnnl::matmul product;
  memory source, result, bias;
  std::unordered_map<int, memory> arguments;
};

// Making a product costs half a millisecond (code is generated for the shape); layers of one shape
// share it.
Product& ProductOf(const Shape& shape) {
  thread_local std::map<Shape, Product> products;
  const auto found = products.find(shape);
  if (found != products.end()) return found->second;
  if (products.size() >= kKeptProducts) products.clear();
  return products.emplace(shape, Product(shape)).first->second;
}

dnnl::stream& Stream() {
  thread_local dnnl::stream stream(Engine());
  return stream;
}

// The weights as one kind of product reads them. Nearly always there is one layout for all numbers
// of rows.
class Layouts {
 public:
  // `weights`: [in, out] in any layout, with memory of its own.
  Layouts(const memory::desc& first, const memory& weights) { Add(first, weights); }

  const memory& In(const memory::desc& wanted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& layout : layouts_) {
      if (layout->get_desc() == wanted) return *layout;
    }
    return Add(wanted, *layouts_.front());
  }

 private:
  const memory& Add(const memory::desc& wanted, const memory& weights) {
    auto added = std::make_unique<memory>(wanted, Engine());
    dnnl::stream stream(Engine());
    memory from = weights;
    dnnl::reorder(from, *added).execute(stream, from, *added);
    stream.wait();
    return *layouts_.emplace_back(std::move(added));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<memory>> layouts_;
};

class FloatLinear : public PackedLinear {
 public:
  FloatLinear(const at::Tensor& weight, InferencePrecision precision)
      : precision_(precision),
        in_(weight.size(1)),
        out_(weight.size(0)),
        layouts_(Describe({precision, kUsualRows, in_, out_, true}).weights_desc(),
                 // [out, in] is [in, out] with the other order of axes.
                 memory({{in_, out_}, memory::data_type::f32, memory::format_tag::ba}, Engine(),
                        weight.data_ptr())) {}

  at::Tensor Multiply(const at::Tensor& x, const at::Tensor& bias) const override {
    const auto type = precision_ == InferencePrecision::kBFloat16 ? at::kBFloat16 : at::kFloat;
    const at::Tensor source = x.to(type).contiguous();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = out_;
    at::Tensor result = at::empty(shape, x.options());
    Product& product = ProductOf({precision_, x.numel() / in_, in_, out_, bias.defined()});
    product.source.set_data_handle(source.data_ptr());
    product.result.set_data_handle(result.data_ptr());
    if (bias.defined()) product.bias.set_data_handle(bias.data_ptr());
    product.arguments[DNNL_ARG_WEIGHTS] = layouts_.In(product.description.weights_desc());
    product.product.execute(Stream(), product.arguments);
    return result;
  }

 private:
  const InferencePrecision precision_;
  const int64_t in_, out_;
  mutable Layouts layouts_;
};

// Weights in 8 bits, with what brings sums of their products back to floats.
struct Codes {
  explicit Codes(const at::Tensor& weight)
      : values(weight.numel()), scales(weight.size(0)), sums(weight.size(0)) {
    const int64_t in = weight.size(1);
    const float* data = weight.data_ptr<float>();
    at::parallel_for(0, weight.size(0), kGrain / in + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int8_t* codes = values.data() + row * in;
        scales[row] = QuantizeSymmetric(data + row * in, codes, in, LargestWeightCode());
        int32_t sum = 0;
        for (int64_t i = 0; i < in; ++i) sum += codes[i];
        sums[row] = sum;
      }
    });
  }

  std::vector<int8_t> values;  // [out, in]
  std::vector<float> scales;   // [out]
  std::vector<int32_t> sums;   // [out]
};

class Int8Linear : public PackedLinear {
 public:
  explicit Int8Linear(const at::Tensor& weight) : Int8Linear(weight, Codes(weight)) {}

  at::Tensor Multiply(const at::Tensor& x, const at::Tensor& bias) const override {
    const at::Tensor source = x.contiguous();
    const int64_t rows = x.numel() / in_;
    const at::Tensor codes = at::empty({rows, in_}, x.options().dtype(at::kByte));
    const at::Tensor sums = at::empty({rows, out_}, x.options().dtype(at::kInt));
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = out_;
    at::Tensor result = at::empty(shape, x.options());
    std::vector<RowScale> scales(rows);
    const auto* from = source.data_ptr<float>();
    auto* coded = codes.data_ptr<uint8_t>();
    at::parallel_for(0, rows, kGrain / in_ + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        scales[row] = QuantizeRow(from + row * in_, coded + row * in_, in_);
    });
    Sum(codes, sums);
    const float* added = bias.defined() ? bias.data_ptr<float>() : nullptr;
    const auto* summed = sums.data_ptr<int32_t>();
    auto* to = result.data_ptr<float>();
    at::parallel_for(0, rows, kGrain / out_ + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        DequantizeRow(summed + row * out_, scales_.data(), sums_.data(), added, scales[row],
                      to + row * out_, out_);
      }
    });
    return result;
  }

 private:
  Int8Linear(const at::Tensor& weight, Codes codes)
      : in_(weight.size(1)),
        out_(weight.size(0)),
        scales_(std::move(codes.scales)),
        sums_(std::move(codes.sums)),
        layouts_(Describe({InferencePrecision::kInt8, kUsualRows, in_, out_, false}).weights_desc(),
                 memory({{in_, out_}, memory::data_type::s8, memory::format_tag::ba}, Engine(),
                        codes.values.data())) {}

  void Sum(const at::Tensor& codes, const at::Tensor& sums) const {
    Product& product = ProductOf({InferencePrecision::kInt8, codes.size(0), in_, out_, false});
    product.source.set_data_handle(codes.data_ptr());
    product.result.set_data_handle(sums.data_ptr());
    product.arguments[DNNL_ARG_WEIGHTS] = layouts_.In(product.description.weights_desc());
    product.product.execute(Stream(), product.arguments);
  }

  const int64_t in_, out_;
  const std::vector<float> scales_;
  const std::vector<int32_t> sums_;
  mutable Layouts layouts_;
};

}  // namespace

InferencePrecision FastPrecision(InferencePrecision wanted, int64_t rows) {
  if (wanted != InferencePrecision::kBFloat16) return wanted;
  const bool fast =
      Has(dnnl_cpu_isa_avx512_core_amx) || (Has(dnnl_cpu_isa_avx512_core_bf16) && rows <= kFewRows);
  return fast ? wanted : InferencePrecision::kFloat32;
}

std::unique_ptr<PackedLinear> PackedLinear::Pack(const at::Tensor& weight,
                                                 InferencePrecision precision) {
  if (!HasProducts()) return nullptr;
  TORCH_CHECK(weight.dim() == 2 && weight.is_cpu() && weight.scalar_type() == at::kFloat,
              "a weight to pack must be [out, in] float32 on the CPU, got ", weight.sizes());
  const at::Tensor rows = weight.detach().contiguous();
  try {
    if (precision == InferencePrecision::kInt8) return std::make_unique<Int8Linear>(rows);
    return std::make_unique<FloatLinear>(rows, precision);
  } catch (const dnnl::error&) {  // this processor has no such product
    return nullptr;
  }
}

}  // namespace layers
}  // namespace unival
