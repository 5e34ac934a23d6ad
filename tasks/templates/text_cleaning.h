// unival: text_cleaning.h
//
// Cleaning of text columns before they fill a slot. The rules are those of the reference's data
// code (question and caption clean-up), Unicode-aware, so that published checkpoints see the
// wording they were trained with.
//
//   CleanText("What's This-thing?", TEXT_CLEANING_QUESTION, 80);   // "what's this thing?"
#ifndef UNIVAL_TASKS_TEMPLATES_TEXT_CLEANING_H_
#define UNIVAL_TASKS_TEMPLATES_TEXT_CLEANING_H_

#include <string>

#include "sdk/proto/task.pb.h"

namespace unival {

// `max_words` 0: no bound. Invalid UTF-8 is replaced by U+FFFD. Thread-safe.
std::string CleanText(const std::string& text, TextCleaning rule, int max_words);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEXT_CLEANING_H_
