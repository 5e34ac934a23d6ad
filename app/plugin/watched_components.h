// unival: watched_components.h - components that announce each call before they make it. For
// checks: when a call ends the process, the parent knows which one it was.
#ifndef UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_
#define UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_

#include <functional>
#include <memory>
#include <string>

#include "sdk/native/modality.h"
#include "sdk/native/task.h"
#include "sdk/native/tokenizer.h"

namespace unival {

// Receives each call with its subject, "Preprocess of short.csv", before it is made, and again
// after it as "what follows Preprocess of short.csv". From any thread.
using CallObserver = std::function<void(const std::string& call)>;

std::unique_ptr<Modality> Watched(std::unique_ptr<Modality> modality, CallObserver calls);
std::unique_ptr<Tokenizer> Watched(std::unique_ptr<Tokenizer> tokenizer, CallObserver calls);
std::unique_ptr<Task> Watched(std::unique_ptr<Task> task, CallObserver calls);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_WATCHED_COMPONENTS_H_
