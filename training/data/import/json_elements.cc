#include "training/data/import/json_elements.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/unpacked_file.h"

namespace unival {
namespace {

using Json = nlohmann::json;
using Take = std::function<absl::Status(const JsonElement&)>;

// Hands one value to the consumer; exceptions of the JSON library become errors of the file.
absl::Status TakeOne(const Take& take, const JsonElement& element) {
  return CatchJson(
      [&] { return take(element); },
      [](absl::string_view why) { return InvalidArgument("not of the expected form: ", why); });
}

// Listens to the parser; builds what stands in a wanted place and drops the rest.
class ElementReader : public nlohmann::json_sax<Json> {
 public:
  ElementReader(const std::set<std::string>& lists, const Take& take)
      : lists_(lists), take_(take) {}

  bool null() override { return Value(Json()); }
  bool boolean(bool value) override { return Value(value); }
  bool number_integer(number_integer_t value) override { return Value(value); }
  bool number_unsigned(number_unsigned_t value) override { return Value(value); }
  bool number_float(number_float_t value, const string_t&) override { return Value(value); }
  bool string(string_t& value) override { return Value(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    (open_.empty() ? member_ : key_) = std::move(name);
    return true;
  }

  bool parse_error(size_t, const std::string&, const Json::exception& error) override {
    status_ = absl::InvalidArgumentError(JsonReason(error.what()));
    return false;
  }

  const absl::Status& status() const { return status_; }
  // The lists that were asked for and that the file does not have.
  std::vector<std::string> MissingLists() const {
    if (lists_.empty()) return has_root_ && !root_is_object_ ? Names() : Names{"a list of all"};
    Names missing;
    for (const std::string& list : lists_) {
      const bool is_there = list == kMembers ? root_is_object_ : found_.count(list) > 0;
      if (!is_there) missing.push_back(absl::StrCat("the list \"", list, "\""));
    }
    return missing;
  }

 private:
  using Names = std::vector<std::string>;

  // Whether a value that begins at this place is an element. Called outside of all elements.
  bool IsElement() const {
    if (depth_ == 1) return root_is_object_ ? lists_.count(kMembers) > 0 : lists_.empty();
    return depth_ == 2 && in_list_;
  }

  bool Value(Json value) {
    if (!open_.empty()) {
      Put(std::move(value));
      return true;
    }
    if (!IsElement()) return true;
    element_ = std::move(value);
    return HandOver();
  }

  bool Open(Json container) {
    if (open_.size() >= size_t{kMaxJsonDepth}) {
      status_ =
          InvalidArgument("lists and objects stand in each other deeper than ", kMaxJsonDepth);
      return false;
    }
    if (!open_.empty()) {
      open_.push_back(Put(std::move(container)));
      return true;
    }
    if (depth_ > 0 && IsElement()) {
      element_ = std::move(container);
      open_.push_back(&element_);
      return true;
    }
    if (depth_ == 0) {
      has_root_ = true;
      root_is_object_ = container.is_object();
    }
    if (depth_ == 1) {
      in_list_ = root_is_object_ && container.is_array() && lists_.count(member_) > 0;
    }
    if (depth_ == 1 && in_list_) {
      found_.insert(member_);
      index_ = 0;
    }
    ++depth_;
    return true;
  }

  bool Close() {
    if (open_.empty()) {
      if (--depth_ == 1) in_list_ = false;
      return true;
    }
    open_.pop_back();
    return !open_.empty() || HandOver();
  }

  Json* Put(Json value) {
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json& place = parent[key_];
    place = std::move(value);
    return &place;
  }

  bool HandOver() {
    const bool is_member = root_is_object_ && depth_ == 1;
    const std::string list = in_list_ ? member_ : "";
    const JsonElement element = {list, is_member ? member_ : "", std::move(element_)};
    const std::string place =
        is_member ? absl::StrCat("\"", member_, "\"")
                  : absl::StrCat("element ", index_, list.empty() ? "" : " of ", list);
    ++index_;
    status_ = Annotate(TakeOne(take_, element), place);
    return status_.ok();
  }

  const std::set<std::string>& lists_;
  const Take& take_;
  absl::Status status_;
  int depth_ = 0;  // of containers that are no part of an element
  bool has_root_ = false, root_is_object_ = false, in_list_ = false;
  std::set<std::string> found_;  // of `lists_`
  std::string member_, key_;
  Json element_;
  std::vector<Json*> open_;  // containers of the element, outermost first
  int64_t index_ = 0;
};

}  // namespace

absl::Status ForEachElement(const std::string& file, const std::set<std::string>& lists,
                            const Take& take) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, OpenUnpacked(file));
  absl::string_view text = opened->bytes();
  ElementReader reader(lists, take);
  FollowJson<Json>(text, &reader);
  UNIVAL_RETURN_IF_ERROR(opened->Check());
  UNIVAL_RETURN_IF_ERROR(Annotate(reader.status(), file));
  const std::vector<std::string> missing = reader.MissingLists();
  if (missing.empty()) return absl::OkStatus();
  return InvalidArgument(file, ": expected ", lists.empty() ? "" : "an object with ",
                         absl::StrJoin(missing, " and "),
                         ", got none; is it the file of this data set?");
}

absl::Status ForEachJsonLine(const std::string& file, const Take& take) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, OpenUnpacked(file));
  absl::string_view rest = opened->bytes();
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    const absl::string_view line = absl::StripAsciiWhitespace(rest.substr(0, end));
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    const auto read = [&]() -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(const Json value, Annotate(ParseJson(line), "no JSON"));
      return TakeOne(take, {"", "", value});
    };
    UNIVAL_RETURN_IF_ERROR(Annotate(read(), file, ":", number));
  }
  return opened->Check();
}

std::string IdText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace unival
