// HandedCompute: a server that one image of the daemon leaves to the next, as a child that goes on
// running (docs/daemon.md, which also has the bytes).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/codec.h"
#include "engine/compute.h"

namespace lb::engine {

struct HandedCompute {
    LineId line;
    pid_t pid = 0;           // of the postmaster; 0: it does not run
    bool is_wanted = false;  // was started and not asked to stop: if it does not run, it is started
    std::string failure = {};
    std::string label = {};
    PostgresInstallation postgres = {};
    // What it was started with, whatever the catalog says by now.
    ComputeSettings settings = {};
    uint16_t port = 0;
    uint64_t run_number = 0;
    bool operator==(const HandedCompute&) const = default;
};

Bytes encode(const std::vector<HandedCompute>& computes);
// Errors: kBadRequest.
Result<std::vector<HandedCompute>> decode_handed_computes(ByteView bytes);

}  // namespace lb::engine
