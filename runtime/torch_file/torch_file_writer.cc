#include "runtime/torch_file/torch_file_writer.h"

#include "sdk/base/byte_order.h"

namespace unival {

PickleWriter& PickleWriter::Raw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

PickleWriter& PickleWriter::Op(int opcode) {
  bytes_.push_back(static_cast<char>(opcode));
  return *this;
}

PickleWriter& PickleWriter::Text(const std::string& text) {
  return Op('X').Raw(LittleEndianBytes(text.size(), 4)).Raw(text);
}

PickleWriter& PickleWriter::Integer(int64_t value) {
  return Op(0x8a).Op(8).Raw(LittleEndianBytes(static_cast<uint64_t>(value), 8));
}

PickleWriter& PickleWriter::Integers(const std::vector<int64_t>& values) {
  Op('(');
  for (int64_t value : values) Integer(value);
  return Op('t');
}

PickleWriter& PickleWriter::Global(const std::string& module, const std::string& name) {
  return Op('c').Raw(module + "\n" + name + "\n");
}

PickleWriter& PickleWriter::Tuple(int size) { return Op(0x84 + size); }

PickleWriter& PickleWriter::Storage(const std::string& type, const std::string& key,
                                    int64_t elements, const std::string& location) {
  Op('(').Text("storage").Global("torch", type).Text(key).Text(location).Integer(elements);
  return Op('t').Op('Q');
}

PickleWriter& PickleWriter::Tensor(const TensorSpec& spec) {
  Global("torch._utils", "_rebuild_tensor_v2").Op('(');
  Storage(spec.type, spec.key, spec.elements, spec.location).Integer(spec.offset);
  Integers(spec.shape).Integers(spec.strides).Op(0x89);
  return Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
}

std::string ZipArchive(const ZipFiles& files, const ZipOptions& options) {
  std::string archive, directory;
  const std::string method = LittleEndianBytes(options.method, 2);
  for (const auto& [name, bytes] : files) {
    const uint64_t size = options.zip64 ? 0xFFFFFFFF : bytes.size();
    const uint64_t offset = options.zip64 ? 0xFFFFFFFF : archive.size();
    std::string extra;
    if (options.zip64) {
      extra = LittleEndianBytes(1, 2) + LittleEndianBytes(24, 2) +
              LittleEndianBytes(bytes.size(), 8) + LittleEndianBytes(bytes.size(), 8) +
              LittleEndianBytes(archive.size(), 8);
    }
    const std::string common = LittleEndianBytes(0x0800, 2) + method + std::string(8, '\0') +
                               LittleEndianBytes(size, 4) + LittleEndianBytes(size, 4) +
                               LittleEndianBytes(name.size(), 2);
    directory += "PK\x01\x02" + std::string(4, '\0') + common + LittleEndianBytes(extra.size(), 2) +
                 std::string(10, '\0') + LittleEndianBytes(offset, 4) + name + extra;
    archive +=
        "PK\x03\x04" + std::string(2, '\0') + common + LittleEndianBytes(0, 2) + name + bytes;
  }
  const uint64_t begin = archive.size(), count = files.size();
  archive += directory;
  const uint64_t end64 = archive.size();
  if (options.zip64) {
    archive += "PK\x06\x06" + LittleEndianBytes(44, 8) + std::string(12, '\0') +
               LittleEndianBytes(count, 8) + LittleEndianBytes(count, 8) +
               LittleEndianBytes(directory.size(), 8) + LittleEndianBytes(begin, 8);
    archive +=
        "PK\x06\x07" + std::string(4, '\0') + LittleEndianBytes(end64, 8) + LittleEndianBytes(1, 4);
  }
  return archive + "PK\x05\x06" + std::string(4, '\0') + LittleEndianBytes(count, 2) +
         LittleEndianBytes(count, 2) + LittleEndianBytes(directory.size(), 4) +
         LittleEndianBytes(options.zip64 ? 0xFFFFFFFF : begin, 4) + LittleEndianBytes(0, 2);
}

std::string LegacyFile(const std::string& object, const std::vector<LegacyStorage>& storages) {
  const std::string magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
  std::string file = PickleWriter().Op(0x8a).Op(10).Raw(magic).Op('.').bytes();
  file += PickleWriter().Integer(1001).Op('.').bytes();
  file += PickleWriter().Op('}').Text("little_endian").Op(0x88).Op('s').Op('.').bytes();
  file += object;
  PickleWriter keys;
  keys.Op(']').Op('(');
  for (const LegacyStorage& storage : storages) keys.Text(storage.key);
  file += keys.Op('e').Op('.').bytes();
  for (const LegacyStorage& storage : storages) {
    file += LittleEndianBytes(static_cast<uint64_t>(storage.elements), 8) + storage.bytes;
  }
  return file;
}

}  // namespace unival
