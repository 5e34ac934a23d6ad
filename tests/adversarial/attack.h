// unival: attack.h - scripted attacks: a foreign thing, and what the program has to do with it.
//
//   Attack attack("jsonl: a key twice");
//   attack.Refused(OpenAndRead(WriteText(folder + "/a.jsonl", line)));
//
// Refused: an error that says something, in bounded time, and is no "internal error". Harmless: the
// thing is taken for what it is. Nothing else is allowed: no crash, no wait, no exception.
#ifndef UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_
#define UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace unival {

class Attack {
 public:
  explicit Attack(std::string name) : name_(std::move(name)) {}

  // Each counts the attack, and fails the calling test where it was not answered so.
  void Refused(const absl::Status& status) const;
  void Harmless(const absl::Status& status) const;

  // How many there were in this process.
  static int Count();

 private:
  void Answered() const;

  const std::string name_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace unival

#endif  // UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_
