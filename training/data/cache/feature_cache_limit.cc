// How much the caches of one folder take together.
#include <filesystem>
#include <system_error>

#include "training/data/cache/feature_cache.h"

namespace unival {

// A file that another run removes meanwhile counts as nothing.
bool FeatureCache::HasRoomFor(int64_t bytes) const {
  namespace fs = std::filesystem;
  if (!most_bytes_.has_value()) return true;
  std::error_code error;
  int64_t used = 0;
  for (fs::directory_iterator it(fs::path(path_).parent_path(), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != kFeatureCacheExtension) continue;
    std::error_code gone;
    const auto size = it->file_size(gone);
    if (!gone) used += static_cast<int64_t>(size);
  }
  return used + bytes <= *most_bytes_;
}

}  // namespace unival
