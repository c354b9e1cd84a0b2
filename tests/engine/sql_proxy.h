// A proxy before a server's Unix socket that sees every statement end, so that a test can kill the
// server between any two of them.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "engine/sql.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine::testing {

class SqlProxy {
public:
    // `on_statement(n)` runs after the n-th statement (from 1) of the first connection has been
    // carried out and before the client learns of it; false breaks the connection.
    SqlProxy(const SqlTarget& server, std::function<bool(int)> on_statement);
    ~SqlProxy();

    SqlTarget target() const;

private:
    void accept_connections();
    void serve(int client, bool is_first);

    const SqlTarget server_;
    const std::function<bool(int)> on_statement_;
    TemporaryDirectory directory_;
    std::atomic<bool> is_stopping_ = false;
    int listener_ = -1;
    std::vector<std::thread> connections_;  // of the accepting thread
    std::thread acceptor_;
};

}  // namespace lb::engine::testing
