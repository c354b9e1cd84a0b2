// PostgreSQL's WAL as far as lb reads it: names of its files, headers of its pages, where the
// records of a page end (src/include/access/xlog_internal.h and xlogrecord.h; XLP magic of 13 to
// 16). Pure. Decoders accept any bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/codec.h"
#include "base/model/moment.h"

namespace lb::engine {

inline constexpr uint32_t kWalPageBytes = 8192;

struct WalFileName {
    uint32_t timeline = 0;
    uint32_t high = 0;  // the two halves of the segment's number
    uint32_t low = 0;

    Lsn start(uint64_t segment_bytes) const;
    static WalFileName of(uint32_t timeline, Lsn lsn, uint64_t segment_bytes);
    auto operator<=>(const WalFileName&) const = default;
};
// "00000001000000000000000A"; nullopt for other names.
std::optional<WalFileName> parse_wal_file_name(std::string_view name);
std::string to_text(const WalFileName& name);

struct WalPage {
    Lsn start;
    uint32_t timeline = 0;
    uint32_t header_bytes = 0;
    uint64_t segment_bytes = 0;    // of the first page of a file; 0 on the others
    uint32_t remaining_bytes = 0;  // of a record that began on an earlier page
};
// nullopt if it is no page of WAL: zeros, or anything else.
std::optional<WalPage> decode_wal_page(ByteView page);

// Behind the last record that is whole on this page; the page's start if none is. Requires: what
// decode_wal_page() accepted.
Lsn wal_page_end(const WalPage& header, ByteView page);

}  // namespace lb::engine
