// TCP ports: is one free, and which. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace lb::engine {

// Ok if a server could listen on `port` of every address now. Addresses are what PostgreSQL's
// listen_addresses takes: names, IPv4, IPv6, "*".
// Errors: kPortInUse naming the port and, where we may know, the process; kComputeStartFailed if
// an address is not one of this machine.
Status check_port_is_free(const std::vector<std::string>& addresses, uint16_t port);

// The error for a port that somebody else holds.
Error port_in_use(uint16_t port);

}  // namespace lb::engine
