// The environment of a daemon. It and PostgreSQL outlive the command that starts them, so they do
// not get that command's variables: not its passwords, and not what would change PostgreSQL's ways
// (PGOPTIONS ...).
#pragma once

#include <string>
#include <vector>

namespace lb::cli {

// "NAME=value" of those variables of ours that a daemon needs.
std::vector<std::string> daemon_environment();

// Leaves only these in our own environment. Before any thread is started.
void keep_daemon_environment();

}  // namespace lb::cli
