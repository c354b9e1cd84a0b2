// Any bytes as a page of WAL: its end is inside of it. Any text as a WAL file's name.
#include <algorithm>
#include <span>

#include "base/assert.h"
#include "engine/wal_page.h"

using namespace lb;
using namespace lb::engine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    ByteView bytes = std::as_bytes(std::span(data, size));
    if (auto name = parse_wal_file_name(as_text(bytes))) {
        LB_ASSERT(to_text(*name) == as_text(bytes));
    }
    Bytes page(bytes.begin(), bytes.end());
    page.resize(kWalPageBytes);
    auto header = decode_wal_page(page);
    if (!header) return 0;
    uint64_t start = header->start.value();
    uint64_t end = wal_page_end(*header, page).value();
    LB_ASSERT(end - start <= kWalPageBytes);
    return 0;
}
