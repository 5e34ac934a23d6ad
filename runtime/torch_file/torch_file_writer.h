// unival: torch_file_writer.h
//
// Pickles and files of torch.save, written opcode by opcode, also wrong ones. For tests.
//
//   PickleWriter pickle;
//   pickle.Global("os", "system").Text("ls").Tuple(1).Op('R').Op('.');
//   std::string file = ZipArchive({{"a/data.pkl", pickle.bytes()}});
#ifndef UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_WRITER_H_
#define UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace unival {

class PickleWriter {
 public:
  PickleWriter() : bytes_("\x80\x02") {}
  const std::string& bytes() const { return bytes_; }

  PickleWriter& Raw(const std::string& bytes);
  PickleWriter& Op(int opcode);
  PickleWriter& Text(const std::string& text);
  PickleWriter& Integer(int64_t value);                        // int64
  PickleWriter& Integers(const std::vector<int64_t>& values);  // as a tuple
  PickleWriter& Global(const std::string& module, const std::string& name);
  PickleWriter& Tuple(int size);  // of the topmost 1 to 3 values
  // ("storage", torch.<type>, key, location, elements) and BINPERSID.
  PickleWriter& Storage(const std::string& type, const std::string& key, int64_t elements,
                        const std::string& location = "cpu");
  // A call of torch._utils._rebuild_tensor_v2 over the storage that `Storage` would write.
  struct TensorSpec {
    std::string type = "FloatStorage", key = "0";
    int64_t elements = 0, offset = 0;
    std::vector<int64_t> shape, strides;
    std::string location = "cpu";
  };
  PickleWriter& Tensor(const TensorSpec& spec);

 private:
  std::string bytes_;
};

struct ZipOptions {
  bool zip64 = false;
  int method = 0;
};
using ZipFiles = std::vector<std::pair<std::string, std::string>>;
std::string ZipArchive(const ZipFiles& files, const ZipOptions& options = {});

// The older format: `object` is a pickle, `storages` are (key, elements, bytes) in order.
struct LegacyStorage {
  std::string key;
  int64_t elements = 0;
  std::string bytes;
};
std::string LegacyFile(const std::string& object, const std::vector<LegacyStorage>& storages);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_WRITER_H_
