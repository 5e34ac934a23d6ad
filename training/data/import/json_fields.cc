#include "training/data/import/json_fields.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/beginning.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostShown = 60;  // bytes of a value

std::string ShownValue(const Json& value) { return BeginningOf(JsonText(value), kMostShown); }

// Larger ones are no integers of 64 bits, or not exact as a number with a fraction.
bool IsInteger(const Json& value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= INT64_MAX;
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const auto number = value.get<double>();
  return std::trunc(number) == number && std::abs(number) <= kExact;
}

}  // namespace

JsonFields::JsonFields(const Json& object)
    : JsonFields(object, "", std::make_shared<absl::Status>()) {
  if (object.is_object()) return;
  *status_ = InvalidArgument("expected an object with fields, got ", ShownValue(object));
}

JsonFields::JsonFields(const Json& object, std::string before, std::shared_ptr<absl::Status> status)
    : object_(&object), before_(std::move(before)), status_(std::move(status)) {}

void JsonFields::Refuse(const std::string& name, const std::string& expected,
                        const std::string& got) const {
  if (!status_->ok()) return;
  *status_ = InvalidArgument("field \"", before_, name, "\": expected ", expected, ", got ", got);
}

void JsonFields::RefuseRepeated(const std::string& name) const {
  const std::string got = Has(name) ? ShownValue(object_->at(name)) : "none";
  Refuse(name, "an id of its own",
         absl::StrCat(got, " a second time; give each its own, or keep one"));
}

bool JsonFields::Has(const std::string& name) const {
  if (!object_->is_object()) return false;
  const auto found = object_->find(name);
  return found != object_->end() && !found->is_null();
}

const Json* JsonFields::Find(const std::string& name) const {
  if (object_->is_object()) {
    const auto found = object_->find(name);
    if (found != object_->end()) return &*found;
  }
  Refuse(name, "one as the publisher's files have it", "none");
  return nullptr;
}

std::string JsonFields::Text(const std::string& name) const {
  const Json* const value = Find(name);
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  Refuse(name, "a text", ShownValue(*value));
  return "";
}

int64_t JsonFields::Integer(const std::string& name) const {
  const Json* const value = Find(name);
  if (value == nullptr) return 0;
  if (IsInteger(*value)) return value->get<int64_t>();
  Refuse(name, "an integer", ShownValue(*value));
  return 0;
}

double JsonFields::Number(const std::string& name) const {
  const Json* const value = Find(name);
  if (value == nullptr) return 0;
  if (value->is_number()) return value->get<double>();
  Refuse(name, "a number", ShownValue(*value));
  return 0;
}

Json JsonFields::Id(const std::string& name) const {
  const Json* const value = Find(name);
  if (value == nullptr) return 0;
  if (IsInteger(*value) || value->is_string()) return *value;
  Refuse(name, "an integer or a text", ShownValue(*value));
  return 0;
}

const Json* JsonFields::FindList(const std::string& name, const std::string& expected) const {
  const Json* const value = Find(name);
  if (value == nullptr || value->is_array()) return value;
  Refuse(name, expected, ShownValue(*value));
  return nullptr;
}

std::vector<std::string> JsonFields::Texts(const std::string& name) const {
  std::vector<std::string> texts;
  const Json* const list = FindList(name, "a list of texts");
  if (list == nullptr) return texts;
  for (const Json& text : *list) {
    if (text.is_string()) {
      texts.push_back(text.get<std::string>());
    } else {
      Refuse(absl::StrCat(name, "[", texts.size(), "]"), "a text", ShownValue(text));
      break;
    }
  }
  return texts;
}

std::vector<double> JsonFields::NumbersOf(const Json& list, const std::string& name,
                                          size_t count) const {
  std::vector<double> numbers;
  if (list.is_array()) {
    for (const Json& number : list) {
      if (number.is_number()) numbers.push_back(number.get<double>());
    }
  }
  if (numbers.size() == count && list.size() == count) return numbers;
  Refuse(name, absl::StrCat("a list of ", count, " numbers"), ShownValue(list));
  return std::vector<double>(count);
}

std::vector<double> JsonFields::Numbers(const std::string& name, size_t count) const {
  const Json* const list = Find(name);
  return list == nullptr ? std::vector<double>(count) : NumbersOf(*list, name, count);
}

std::vector<std::vector<double>> JsonFields::NumberLists(const std::string& name,
                                                         size_t count) const {
  std::vector<std::vector<double>> lists;
  const Json* const all = FindList(name, "a list of lists");
  if (all == nullptr) return lists;
  for (const Json& list : *all) {
    lists.push_back(NumbersOf(list, absl::StrCat(name, "[", lists.size(), "]"), count));
  }
  return lists;
}

std::vector<JsonFields> JsonFields::Objects(const std::string& name) const {
  std::vector<JsonFields> objects;
  const Json* const list = FindList(name, "a list of objects");
  if (list == nullptr) return objects;
  for (const Json& object : *list) {
    const std::string place = absl::StrCat(name, "[", objects.size(), "]");
    if (!object.is_object()) {
      Refuse(place, "an object", ShownValue(object));
      break;
    }
    objects.push_back(JsonFields(object, absl::StrCat(before_, place, "."), status_));
  }
  return objects;
}

std::string JsonFields::TextOr(const std::string& name, const std::string& otherwise) const {
  return Has(name) ? Text(name) : otherwise;
}

int64_t JsonFields::IntegerOr(const std::string& name, int64_t otherwise) const {
  return Has(name) ? Integer(name) : otherwise;
}

bool JsonFields::Flag(const std::string& name) const {
  if (!Has(name)) return false;
  const Json& value = object_->at(name);
  if (value.is_boolean()) return value.get<bool>();
  if (IsInteger(value) && (value == 0 || value == 1)) return value == 1;
  Refuse(name, "0 or 1", ShownValue(value));
  return false;
}

}  // namespace unival
