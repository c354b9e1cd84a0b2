// Version of this program. Client and daemon must have the same one: the socket carries it.
#pragma once

#include <string_view>

namespace lb::cli {

// "0.1.0".
std::string_view version();

// Version of the socket's endpoints, the "v1" of their paths.
inline constexpr std::string_view kApiPrefix = "/v1";
// Of the documents that --json prints.
inline constexpr std::string_view kJsonFormatVersion = "1.0";

}  // namespace lb::cli
