// unival: chair.h - objects that a caption speaks of and the picture does not show.
#ifndef UNIVAL_TASKS_METRICS_CHAIR_H_
#define UNIVAL_TASKS_METRICS_CHAIR_H_

#include <map>
#include <string>
#include <vector>

namespace unival {

// Knows objects by name. An entry is one name, or several for the same object, "dog|puppy|hound";
// plurals are found by their stems (Snowball's English).
class ObjectLexicon {
 public:
  void Add(const std::string& entry);
  // The first names of the objects that `text` mentions, in their order; the longest name wins.
  std::vector<std::string> Mentions(const std::string& text) const;
  // The first name of what `entry` calls an object.
  std::string FirstName(const std::string& entry) const;

 private:
  std::map<std::string, std::string> first_names_;  // by the stems of a name
  size_t longest_ = 1;                              // words of the longest name
};

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_CHAIR_H_
