// Loading a dump into a database of a running compute: plain SQL through psql, archives of pg_dump
// (custom, tar, directory) through pg_restore. It needs no daemon and runs where the user is, with
// the user's rights to the file.
//
//   LoadRequest request{.target = {...}, .program_directory = "...", .file = "shop.sql"};
//   LoadSummary done = LB_TRY(load(request, [](const LoadProgress& progress) { ... }));
//
// All or nothing: the file is one transaction, and it is committed only after its last byte has
// been read, so that neither an error nor Ctrl-C leaves half of it. Only a script with statements
// that PostgreSQL refuses inside of a transaction (VACUUM, CREATE INDEX CONCURRENTLY ...) is run
// without.
//
// A script that makes its own database and connects to it (pg_dump --create, many samples) is
// loaded into the wanted database instead: those statements at its top are skipped. One that
// connects elsewhere later on is refused. docs/computes.md has the details. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sql.h"

namespace lb::engine {

struct LoadRequest {
    SqlTarget target;               // as the superuser, with the database to load into
    std::string program_directory;  // where psql and pg_restore are
    std::string file;               // "-": standard input
    std::string role = {};  // who runs it and owns what it makes; empty: the database's owner
};

struct LoadProgress {
    uint64_t done_bytes = 0;   // of the file, as handed on so far
    uint64_t total_bytes = 0;  // 0: unknown
};

struct LoadSummary {
    uint64_t read_bytes = 0;
    std::string role;                       // who ran it
    bool was_one_transaction = true;        // false: see above
    std::vector<std::string> skipped = {};  // "line 19: DROP DATABASE IF EXISTS chinook"
};

// `progress` is called now and then from this thread, and at the end.
// Errors: kLoadFailed with the line and the server's message; kNotFound for the file or database.
Result<LoadSummary> load(const LoadRequest& request,
                         const std::function<void(const LoadProgress&)>& progress);

}  // namespace lb::engine
