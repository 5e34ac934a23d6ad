// unival: fingerprint.h - a hash of how a source is read.
#ifndef UNIVAL_TRAINING_DATA_FINGERPRINT_H_
#define UNIVAL_TRAINING_DATA_FINGERPRINT_H_

#include <string>

#include "training/data/content_hash.h"
#include "training/data/source.h"

namespace unival {

// Of the options that change what records look like; not of the path.
std::string FingerprintOf(const SourceOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FINGERPRINT_H_
