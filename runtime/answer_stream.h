// unival: answer_stream.h - an answer's text as it grows, in pieces of whole characters.
//
//   AnswerStream stream([](absl::string_view piece) { return bool(std::cout << piece); });
//   stream.Grow("a r"), stream.Grow("a red");            // tells "a r", "ed"
//   UNIVAL_RETURN_IF_ERROR(stream.Finish("a red circle"));  // tells " circle"
#ifndef UNIVAL_RUNTIME_ANSWER_STREAM_H_
#define UNIVAL_RUNTIME_ANSWER_STREAM_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// Gets the next piece of an answer, which is valid during the call; false stops the answer.
using PieceListener = std::function<bool(absl::string_view piece)>;

// All pieces together are the whole text, byte by byte. A piece never ends inside a character: what
// may be the beginning of one waits for its rest, or for the end. Belongs to one thread.
class AnswerStream {
 public:
  explicit AnswerStream(PieceListener listener) : listener_(std::move(listener)) {}

  // `text`: all that is certain so far, from the first character on. The new part is handed to the
  // listener. A tokenizer may change earlier text; a `text` that does not continue what was handed
  // out is ignored. Returns false to stop.
  bool Grow(absl::string_view text);
  // `text`: the whole answer; its rest is handed out. Cancelled when the listener stops;
  // FailedPrecondition when the answer does not begin with what was handed out.
  absl::Status Finish(absl::string_view text);

 private:
  bool Tell(absl::string_view text);

  const PieceListener listener_;
  std::string told_;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_ANSWER_STREAM_H_
