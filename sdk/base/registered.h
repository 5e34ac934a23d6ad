// unival: registered.h
//
// Tables that are filled before main(). A source file defines one entry of type T, and every
// program that links the file has the entry in its table. Two entries with one name are an error of
// Find. T has a member `name`.
//
//   const Registered<OptimizerType> kAdamW({"adamw", "...", &CreateAdamW});   // at namespace scope
//   UNIVAL_ASSIGN_OR_RETURN(const OptimizerType* type, Registered<OptimizerType>::Find("adamw"));
//
// Thread-safe once main() has begun.
#ifndef UNIVAL_SDK_BASE_REGISTERED_H_
#define UNIVAL_SDK_BASE_REGISTERED_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace unival {

template <typename T>
class Registered {
 public:
  explicit Registered(T entry) { Table().push_back(std::move(entry)); }

  // All names, sorted.
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const T& entry : Table()) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    return names;
  }

  // The entry lives as long as the program. NotFound when there is none, AlreadyExists when two
  // files define it.
  static absl::StatusOr<const T*> Find(absl::string_view name) {
    const T* found = nullptr;
    for (const T& entry : Table()) {
      if (entry.name != name) continue;
      if (found != nullptr) {
        return absl::AlreadyExistsError(absl::StrCat("\"", name, "\" is defined twice"));
      }
      found = &entry;
    }
    if (found == nullptr) return absl::NotFoundError(absl::StrCat("\"", name, "\" is not there"));
    return found;
  }

 private:
  static std::vector<T>& Table() {
    static auto* const kTable = new std::vector<T>();  // before any entry, in any link order
    return *kTable;
  }
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_REGISTERED_H_
