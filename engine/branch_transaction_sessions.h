// SessionEnder: keeps ending the sessions of some databases while it lives.
//
// Renaming a database needs it empty. The rename first locks out new sessions and then waits some
// seconds for the present ones to leave, so they are ended from beside it; ending them before would
// only let a connection pool come back in between.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/sql.h"

namespace lb::engine {

class SessionEnder {
public:
    static Result<std::unique_ptr<SessionEnder>> start(const SqlTarget& target,
                                                       std::vector<std::string> databases);
    ~SessionEnder();

private:
    SessionEnder() = default;

    std::unique_ptr<SqlSession> session_;
    std::jthread thread_;
};

}  // namespace lb::engine
