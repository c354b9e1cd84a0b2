// What lb reads of PostgreSQL's control file, global/pg_control (src/include/catalog/pg_control.h,
// PG_CONTROL_VERSION 1300: PostgreSQL 13 to 16).
#pragma once

#include <cstdint>
#include <optional>

#include "base/codec.h"
#include "base/result.h"
#include "store/store.h"

namespace lb::engine {

struct ControlFile {
    bool is_shut_down = false;         // cleanly
    uint64_t next_transaction_id = 0;  // 64 bits, of the newest checkpoint
};

// nullopt if `bytes` are no control file of a version that is understood.
std::optional<ControlFile> decode_control_file(ByteView bytes);

// Of a line, through the store. nullopt also if there is none.
std::optional<ControlFile> read_control_file(store::Store& store, LineId line);

}  // namespace lb::engine
