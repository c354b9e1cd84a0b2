#include "cli/daemon/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace lb::cli {
namespace {

constexpr std::array<std::string_view, 12> kNames = {
    "HOME",   "LANG", "LD_LIBRARY_PATH", "LOGNAME",      "NOTIFY_SOCKET", "PATH", "TZ",
    "TMPDIR", "USER", "ASAN_OPTIONS",    "TSAN_OPTIONS", "UBSAN_OPTIONS"};
constexpr std::array<std::string_view, 3> kPrefixes = {"LB_", "LC_", "XDG_"};

bool is_needed(std::string_view name) {
    auto is_prefix = [&](std::string_view prefix) {
        return name.substr(0, prefix.size()) == prefix;
    };
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
           std::any_of(kPrefixes.begin(), kPrefixes.end(), is_prefix);
}

}  // namespace

std::vector<std::string> daemon_environment() {
    std::vector<std::string> needed;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        std::string_view text = *variable;
        if (is_needed(text.substr(0, text.find('=')))) needed.emplace_back(text);
    }
    return needed;
}

void keep_daemon_environment() {
    std::vector<std::string> needed = daemon_environment();
    clearenv();
    for (const std::string& variable : needed) {
        size_t name_end = variable.find('=');
        setenv(variable.substr(0, name_end).c_str(), variable.c_str() + name_end + 1, 1);
    }
}

}  // namespace lb::cli
