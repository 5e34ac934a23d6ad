// unival: attack.h - scripted attacks: hostile input, and how the program must react to it.
//
//   Attack attack("jsonl: a key twice");
//   attack.Refused(OpenAndRead(WriteText(folder + "/a.jsonl", line)));
//
// Refused: the program returns an error with a message in bounded time; the error is not an
// "internal error". Harmless: the input is accepted and does no harm. Nothing else is allowed: no
// crash, no hang, no exception.
#ifndef UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_
#define UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace unival {

class Attack {
 public:
  explicit Attack(std::string name) : name_(std::move(name)) {}

  // Each counts the attack. The calling test fails when the program reacted differently.
  void Refused(const absl::Status& status) const;
  void Harmless(const absl::Status& status) const;

  // Number of attacks in this process so far.
  static int Count();

 private:
  void Answered() const;

  const std::string name_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace unival

#endif  // UNIVAL_TESTS_ADVERSARIAL_ATTACK_H_
