// How a compute's server is configured: what its command line forces, what its configuration file
// proposes, and who may connect. Pure functions of ComputeOptions; docs/computes.md gives the
// reasons.
//
// Precedence, lowest first: the branch's own postgresql.conf, lb's proposals, ALTER SYSTEM
// (postgresql.auto.conf), the command line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/compute.h"

namespace lb::engine {

using PostgresSetting = std::pair<std::string, std::string>;  // name, value

// What must hold whatever the user says: the store's safety, who listens where, who may come in.
std::vector<PostgresSetting> forced_settings(const ComputeOptions& options);

// What fits the compute's size and the store; the user's ALTER SYSTEM wins.
std::vector<PostgresSetting> proposed_settings(const ComputeOptions& options);

// Connections that a size allows: 0.25 CU -> 104, 1 CU -> 419, at most 4000.
uint32_t max_connections(uint32_t size_centi_cu);

// Memory in bytes: 2 GiB per CU.
uint64_t memory_bytes(uint32_t size_centi_cu);

// The files of the run directory.
std::string configuration_file_text(const ComputeOptions& options);
std::string hba_file_text(const ComputeOptions& options);
// `os_users` may connect as the superuser through the socket, without a password.
std::string ident_file_text(const std::vector<std::string>& os_users);

std::string socket_path(const ComputeOptions& options);

}  // namespace lb::engine
