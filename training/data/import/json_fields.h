// unival: json_fields.h - the members of one JSON object, with errors that name the field.
//
//   JsonFields annotation(element.value);
//   const int64_t image = annotation.Integer("image_id");
//   const std::vector<double> bbox = annotation.Numbers("bbox", 4);
//   UNIVAL_RETURN_IF_ERROR(annotation.status());  // before either is used
#ifndef UNIVAL_TRAINING_DATA_IMPORT_JSON_FIELDS_H_
#define UNIVAL_TRAINING_DATA_IMPORT_JSON_FIELDS_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// The first field that is missing or of another kind is kept as InvalidArgument "field
// "answers[3].answer": expected a text, got 7"; what is read from then on is empty or zero. What
// Objects and Lists give keeps the same error. Nothing is converted: a text of digits is no number,
// and true is none. The object must outlive this; for one thread.
class JsonFields {
 public:
  // `object` may be something else than a JSON object; then every field is an error.
  explicit JsonFields(const nlohmann::json& object);

  std::string Text(const std::string& name) const;
  // A number without a fraction.
  int64_t Integer(const std::string& name) const;
  double Number(const std::string& name) const;
  // An integer or a text, as ids come in either form; as it is.
  nlohmann::json Id(const std::string& name) const;
  std::vector<std::string> Texts(const std::string& name) const;
  // A list of exactly `count` numbers.
  std::vector<double> Numbers(const std::string& name, size_t count) const;
  // A list of lists of `count` numbers.
  std::vector<std::vector<double>> NumberLists(const std::string& name, size_t count) const;
  std::vector<JsonFields> Objects(const std::string& name) const;

  // Whether there is such a member, and it is not null.
  bool Has(const std::string& name) const;
  // The field's value; `otherwise` where there is no such field.
  std::string TextOr(const std::string& name, const std::string& otherwise) const;
  int64_t IntegerOr(const std::string& name, int64_t otherwise) const;
  // 0, 1, true or false; false where there is none.
  bool Flag(const std::string& name) const;

  // Keeps an error that the caller found in a field, if it is the first error.
  void Refuse(const std::string& name, const std::string& expected, const std::string& got) const;
  // Keeps the error that an earlier element has the same id.
  void RefuseRepeated(const std::string& name) const;
  const absl::Status& status() const { return *status_; }

 private:
  JsonFields(const nlohmann::json& object, std::string before,
             std::shared_ptr<absl::Status> status);
  // Where the field is missing, returns null and keeps the error.
  const nlohmann::json* Find(const std::string& name) const;
  const nlohmann::json* FindList(const std::string& name, const std::string& expected) const;
  std::vector<double> NumbersOf(const nlohmann::json& list, const std::string& name,
                                size_t count) const;

  const nlohmann::json* object_;
  std::string before_;  // of a field's name, in messages
  std::shared_ptr<absl::Status> status_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_JSON_FIELDS_H_
