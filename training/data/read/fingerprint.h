// unival: fingerprint.h - a hash of how a source is read.
#ifndef UNIVAL_TRAINING_DATA_READ_FINGERPRINT_H_
#define UNIVAL_TRAINING_DATA_READ_FINGERPRINT_H_

#include <string>

#include "training/data/files/content_hash.h"
#include "training/data/read/source.h"

namespace unival {

// A hash of the options that change what records look like; the path is not one of them.
std::string FingerprintOf(const SourceOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_FINGERPRINT_H_
