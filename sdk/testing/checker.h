// unival: checker.h - collects the rows of a conformance check. Internal to sdk/testing.
#ifndef UNIVAL_SDK_TESTING_CHECKER_H_
#define UNIVAL_SDK_TESTING_CHECKER_H_

#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sdk/native/catch_torch.h"
#include "sdk/testing/conformance.h"

namespace unival {

// The violation that a rule found; empty means that the rule holds.
using Finding = std::string;

// Applies `rule` to the items; returns the first finding that is not empty.
template <typename Items, typename Rule>
Finding ForEach(const Items& items, Rule&& rule) {
  for (const auto& item : items) {
    Finding finding = rule(item);
    if (!finding.empty()) return finding;
  }
  return "";
}

// The first line of the exception's text; libtorch's exceptions contain a whole stack trace.
inline Finding WhatWasThrown(const std::exception& error) {
  return std::string(StatusFromException("threw", error).message());
}

class Checker {
 public:
  // `observer` may be null.
  Checker(std::string component, RuleObserver* observer) : observer_(observer) {
    report_.component = std::move(component);
  }

  // Runs `rule`, which returns a Finding. An exception becomes a finding too.
  template <typename Rule>
  void Run(const std::string& name, Rule&& rule) {
    Measure(name, [&](std::string*) { return rule(); });
  }

  // The same for a rule that measures something: it writes the measured value to its argument.
  template <typename Rule>
  void Measure(const std::string& name, Rule&& rule) {
    if (observer_ != nullptr) observer_->Begins(name);
    Finding finding;
    std::string measured;
    try {
      finding = rule(&measured);
    } catch (const std::exception& error) {
      finding = WhatWasThrown(error);
    }
    report_.rows.push_back({name, finding.empty(), finding.empty() ? measured : finding});
    if (observer_ != nullptr) observer_->Ends(report_.rows.back());
  }

  // Whether the last rule held.
  bool ok() const { return report_.rows.back().ok; }

  ConformanceReport Take() { return std::move(report_); }

 private:
  RuleObserver* const observer_;
  ConformanceReport report_;
};

// Calls `body(i)`, which returns a Finding, on `threads` threads at once. Returns the first finding
// that is not empty.
template <typename Body>
Finding RunConcurrently(int threads, Body&& body) {
  std::vector<Finding> findings(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      try {
        findings[i] = body(i);
      } catch (const std::exception& error) {
        findings[i] = WhatWasThrown(error);
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  for (const Finding& finding : findings) {
    if (!finding.empty()) return finding;
  }
  return "";
}

}  // namespace unival

#endif  // UNIVAL_SDK_TESTING_CHECKER_H_
