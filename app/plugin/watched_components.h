// unival: watched_components.h - components that say which call is about to be made, and then make
// it. For checks, so that whoever ends the process in a call is known by it.
#ifndef UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_
#define UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_

#include <functional>
#include <memory>
#include <string>

#include "sdk/native/modality.h"
#include "sdk/native/task.h"
#include "sdk/native/tokenizer.h"

namespace unival {

// Called before each call with its name and subject, "Preprocess of short.csv", and behind it. From
// any thread.
using CallObserver = std::function<void(const std::string& call)>;

std::unique_ptr<Modality> Watched(std::unique_ptr<Modality> modality, CallObserver calls);
std::unique_ptr<Tokenizer> Watched(std::unique_ptr<Tokenizer> tokenizer, CallObserver calls);
std::unique_ptr<Task> Watched(std::unique_ptr<Task> task, CallObserver calls);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_
