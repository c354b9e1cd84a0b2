// Whether a compute could listen on a port, asked before an apply commits, so that a port conflict
// or a bad address changes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace lb::engine {

// `addresses` as PostgreSQL's listen_addresses takes them: names, addresses, "*".
// Errors: kPortInUse; kComputeStartFailed for an address that is not of this machine.
Status check_port_is_free(const std::vector<std::string>& addresses, uint16_t port);

}  // namespace lb::engine
