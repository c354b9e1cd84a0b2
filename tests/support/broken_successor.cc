// A program that says it can take over from a daemon and then cannot: it loses what was handed
// over, but for the list of it, and becomes the real lb. A copy with "misfit" in its name says that
// it reads another format.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cli/daemon/handover_state.h"
#include "store/format.h"

namespace {

bool is_misfit() {
    char path[4096] = {};
    return ::readlink("/proc/self/exe", path, sizeof path - 1) > 0 &&
           std::strstr(path, "misfit") != nullptr;
}

}  // namespace

int main(int count, char** arguments) {
    int kept = -1;
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(arguments[i], "version") == 0) {
            std::printf(R"({"version":"9.9","store_format":%u,"handover_format":%u})",
                        lb::store::kFormatVersion,
                        lb::cli::kHandoverFormat + (is_misfit() ? 1 : 0));
            return 0;
        }
        if (std::string(arguments[i]) == "--handover-fd" && i + 1 < count) {
            kept = std::atoi(arguments[i + 1]);
        }
    }
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        if (descriptor != kept) ::close(descriptor);
    }
    ::execv(LB_BINARY, arguments);
    return 1;
}
