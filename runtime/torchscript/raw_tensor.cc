#include "runtime/torchscript/raw_tensor.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr absl::string_view kNpyStart("\x93NUMPY", 6);
constexpr int64_t kMaxNumbers = int64_t{1} << 28;
constexpr size_t kMaxDimensionsOfFile = 8;

template <typename T>
float ReadNumber(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return static_cast<float>(value);
}

float ReadHalf(const char* at) {
  uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof(bits));
  return c10::Half(bits, c10::Half::from_bits());
}

struct NumberType {
  absl::string_view name, npy;  // "int16", "i2"
  int64_t width;
  float (*read)(const char* at);
};

constexpr NumberType kTypes[] = {
    {"uint8", "u1", 1, &ReadNumber<uint8_t>},   {"int8", "i1", 1, &ReadNumber<int8_t>},
    {"uint16", "u2", 2, &ReadNumber<uint16_t>}, {"int16", "i2", 2, &ReadNumber<int16_t>},
    {"uint32", "u4", 4, &ReadNumber<uint32_t>}, {"int32", "i4", 4, &ReadNumber<int32_t>},
    {"int64", "i8", 8, &ReadNumber<int64_t>},   {"float16", "f2", 2, &ReadHalf},
    {"float32", "f4", 4, &ReadNumber<float>},   {"float64", "f8", 8, &ReadNumber<double>},
};

std::string KnownTypes() {
  std::string names;
  for (const NumberType& type : kTypes)
    absl::StrAppend(&names, names.empty() ? "" : ", ", type.name);
  return names;
}

const NumberType* FindNumberType(absl::string_view name) {
  for (const NumberType& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

// Numbers as they lie in a file.
struct Stored {
  const NumberType* type = nullptr;
  std::vector<int64_t> shape;
  bool columns_first = false;  // the first index moves quickest
  absl::string_view numbers;
};

// The text behind "'key':" of a header, which is a dict as Python writes it.
absl::StatusOr<absl::string_view> ValueOf(absl::string_view header, absl::string_view key) {
  const std::string quoted = absl::StrCat("'", key, "':");
  const size_t at = header.find(quoted);
  if (at == absl::string_view::npos)
    return InvalidArgument("the heading of .npy has no \"", key, "\"");
  return absl::StripLeadingAsciiWhitespace(header.substr(at + quoted.size()));
}

absl::StatusOr<std::vector<int64_t>> ParseShape(absl::string_view text) {
  std::vector<int64_t> shape;
  const size_t end = text.find(')');
  if (!absl::ConsumePrefix(&text, "(") || end == absl::string_view::npos)
    return InvalidArgument("the heading of .npy has no shape");
  for (absl::string_view part : absl::StrSplit(text.substr(0, end - 1), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    int64_t size = 0;
    if (!absl::SimpleAtoi(part, &size) || size < 0 || shape.size() == kMaxDimensionsOfFile)
      return InvalidArgument("the heading of .npy has no shape of sizes");
    shape.push_back(size);
  }
  return shape;
}

// The type as the heading writes it: a text in quotes, or a list of fields, which no file of plain
// numbers has.
std::string TypeText(absl::string_view value) {
  if (!absl::ConsumePrefix(&value, "'")) return "of several fields";
  return std::string(value.substr(0, value.find('\'')).substr(0, 16));
}

// Names the type, and what to do about it.
absl::Status UnknownType(absl::string_view value) {
  const std::string type = TypeText(value);
  const bool is_complex = absl::StrContains(type.substr(0, 2), 'c');
  return InvalidArgument(
      ".npy of type ", type, "; expected little-endian ", KnownTypes(),
      is_complex ? "; store complex numbers as float32 with a last dimension of 2, real and "
                   "imaginary part"
                 : "; store the numbers as one of these");
}

absl::StatusOr<Stored> ParseNpy(absl::string_view bytes) {
  if (bytes.size() < 12) return InvalidArgument(".npy is cut off");
  const int version = bytes[6];
  if (version < 1 || version > 3) return InvalidArgument(".npy of version ", version);
  const size_t begin = version == 1 ? 10 : 12, size = LittleEndian(bytes.substr(8), begin - 8);
  if (size > bytes.size() - begin) return InvalidArgument("the heading of .npy is cut off");
  const absl::string_view header = bytes.substr(begin, size);
  Stored stored;
  stored.numbers = bytes.substr(begin + size);
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view type, ValueOf(header, "descr"));
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view order, ValueOf(header, "fortran_order"));
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view shape, ValueOf(header, "shape"));
  UNIVAL_ASSIGN_OR_RETURN(stored.shape, ParseShape(shape));
  stored.columns_first = absl::StartsWith(order, "True");
  for (const NumberType& known : kTypes) {
    const bool is_little = absl::StartsWith(type, absl::StrCat("'<", known.npy, "'"));
    if (is_little ||
        (known.width == 1 && absl::StartsWith(type, absl::StrCat("'|", known.npy, "'"))))
      stored.type = &known;
  }
  if (stored.type != nullptr) return stored;
  return UnknownType(type);
}

// The shape that `count` numbers have: -1 is what is left.
std::vector<int64_t> ShapeOf(int64_t count, std::vector<int64_t> shape) {
  int64_t others = 1;
  for (int64_t size : shape) others *= size < 0 ? 1 : size;
  for (int64_t& size : shape) size = size < 0 ? count / others : size;
  return shape;
}

// Numbers of two bytes or more are never all printable: somebody has put a text there.
bool IsText(absl::string_view bytes) {
  return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return absl::ascii_isprint(c) || absl::ascii_isspace(c);
  });
}

absl::StatusOr<Stored> Find(absl::string_view bytes, const RawTensorForm& form) {
  if (absl::StartsWith(bytes, kNpyStart)) return ParseNpy(bytes);
  Stored stored;
  stored.type = FindNumberType(form.dtype);
  if (stored.type == nullptr)
    return InvalidArgument("is no .npy file, and no dtype says what else it is");
  if (stored.type->width > 1 && IsText(bytes))
    return InvalidArgument("holds text, expected numbers of ", stored.type->name);
  stored.numbers = bytes;
  stored.shape = ShapeOf(static_cast<int64_t>(bytes.size()) / stored.type->width, form.shape);
  return stored;
}

std::string FormText(const RawTensorForm& form) {
  std::string text = ShapeText(form.shape);
  if (!form.dtype.empty()) text = absl::StrCat(form.dtype, " ", text);
  return form.max_steps > 0 ? absl::StrCat(text, " of at most ", form.max_steps, " steps") : text;
}

absl::Status CheckStored(const Stored& stored, const RawTensorForm& form) {
  bool fits = stored.shape.size() == form.shape.size() &&
              (form.dtype.empty() || stored.type->name == form.dtype);
  int64_t count = 1;
  for (size_t i = 0; fits && i < form.shape.size(); ++i) {
    const int64_t size = stored.shape[i];
    const bool is_free = form.shape[i] < 0;
    fits = size >= 1 &&
           (is_free ? form.max_steps == 0 || size <= form.max_steps : size == form.shape[i]);
    fits = fits && count <= kMaxNumbers / size;
    count *= fits ? size : 1;
  }
  if (!fits) {
    return InvalidArgument("expected ", FormText(form), ", got ", stored.type->name, " ",
                           ShapeText(stored.shape));
  }
  const auto expected = static_cast<size_t>(count * stored.type->width);
  if (stored.numbers.size() == expected) return absl::OkStatus();
  return InvalidArgument("expected ", expected, " bytes of ", stored.type->name, " ",
                         ShapeText(stored.shape), ", got ", stored.numbers.size());
}

// Where the number of index `row_major` lies when the first index moves quickest.
int64_t ColumnsFirst(int64_t row_major, const std::vector<int64_t>& shape) {
  int64_t place = 0, rest = row_major, step = 1;
  for (int64_t size : shape) step *= size;
  for (size_t i = shape.size(); i > 0; --i) {
    step /= shape[i - 1];
    place += (rest % shape[i - 1]) * step;
    rest /= shape[i - 1];
  }
  return place;
}

}  // namespace

absl::Status CheckRawTensorForm(const RawTensorForm& form) {
  if (form.shape.empty() || form.shape.size() > kMaxDimensionsOfFile)
    return InvalidArgument("shape ", ShapeText(form.shape), "; expected 1 to 8 sizes");
  int64_t count = 1;
  int free = 0;
  for (int64_t size : form.shape) {
    free += size == -1 ? 1 : 0;
    if ((size < 1 && size != -1) || free > 1 || count > kMaxNumbers / std::max<int64_t>(size, 1)) {
      return InvalidArgument("shape ", ShapeText(form.shape),
                             "; expected sizes of 1 or more, of which one may be -1, for at most ",
                             kMaxNumbers, " numbers");
    }
    count *= std::max<int64_t>(size, 1);
  }
  if (form.dtype.empty() || FindNumberType(form.dtype) != nullptr) return absl::OkStatus();
  return InvalidArgument("dtype \"", form.dtype, "\"; expected one of ", KnownTypes());
}

absl::StatusOr<RawTensor> ParseRawTensor(absl::string_view bytes, const RawTensorForm& form) {
  UNIVAL_ASSIGN_OR_RETURN(const Stored stored, Find(bytes, form));
  UNIVAL_RETURN_IF_ERROR(CheckStored(stored, form));
  RawTensor tensor{stored.shape, std::vector<float>(stored.numbers.size() / stored.type->width)};
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    const auto row_major = static_cast<int64_t>(i);
    const int64_t place = stored.columns_first ? ColumnsFirst(row_major, stored.shape) : row_major;
    tensor.values[i] = stored.type->read(stored.numbers.data() + place * stored.type->width);
    if (!std::isfinite(tensor.values[i])) return InvalidArgument("number ", i, " is not finite");
  }
  return tensor;
}

}  // namespace unival
