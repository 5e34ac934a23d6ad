// unival: security_report.h - what the program believes, and what it bounds; docs/security.md says
// why.
#ifndef UNIVAL_APP_SECURITY_REPORT_H_
#define UNIVAL_APP_SECURITY_REPORT_H_

#include <nlohmann/json_fwd.hpp>

namespace unival {

// {"trusted": [text], "foreign": [text], "bounds": [{"what", "most"}], "decoders": [{"kind",
// "format", "decoder"}]}; the numbers are those that the code compares with.
nlohmann::json SecurityReport();

}  // namespace unival

#endif  // UNIVAL_APP_SECURITY_REPORT_H_
