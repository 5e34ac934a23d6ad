// unival: security_report.h - what the program trusts, and which bounds it sets for everything
// else; docs/security.md gives the reasons.
#ifndef UNIVAL_APP_SECURITY_REPORT_H_
#define UNIVAL_APP_SECURITY_REPORT_H_

#include <nlohmann/json_fwd.hpp>

namespace unival {

// {"trusted": [text], "foreign": [text], "bounds": [{"what", "most"}], "decoders": [{"kind",
// "format", "decoder"}]}. The numbers are the constants that the code itself uses.
nlohmann::json SecurityReport();

}  // namespace unival

#endif  // UNIVAL_APP_SECURITY_REPORT_H_
