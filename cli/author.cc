#include "cli/author.h"

#include <pwd.h>
#include <unistd.h>

#include <vector>

#include "base/text.h"

namespace lb::cli {

std::string author() {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
    std::string user = found == nullptr ? std::to_string(geteuid()) : std::string(found->pw_name);
    char host[256] = {};
    if (gethostname(host, sizeof(host) - 1) != 0) return user;
    return cat(user, "@", std::string_view(host));
}

}  // namespace lb::cli
