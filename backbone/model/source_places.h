// unival: source_places.h
//
// Where the text tokens and the media items of a batch stand in their rows' texts. An item that
// stands within a text takes one position, so the tokens behind it move on by one.
//
//   const SourcePlaces places(input);
//   if (places.any()) ... places.text() ...       // [B, S] int64
//
// <s> {a} is left of {b} </s>, with a at 1 and b at 5: the tokens have 0, 2, 3, 4 and 6.
// Immutable. Errors: c10::Error that names the segment and the place.
#ifndef UNIVAL_BACKBONE_MODEL_SOURCE_PLACES_H_
#define UNIVAL_BACKBONE_MODEL_SOURCE_PLACES_H_

#include <ATen/core/Tensor.h>

#include "backbone/model/backbone.h"

namespace unival {

class SourcePlaces {
 public:
  explicit SourcePlaces(const ModelInput& input);

  // Whether any item of the batch stands within its text.
  bool any() const { return text_.defined(); }
  // The position of each text token, [B, S] int64 on the CPU; undefined unless any().
  const at::Tensor& text() const { return text_; }

 private:
  at::Tensor text_;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_SOURCE_PLACES_H_
