// Cold segments: what is still needed of reclaimed ones. Written once, never changed, removed as
// a whole. Records keep their identity (type, line, object, block, sequence) and are sorted by it;
// contents of blocks are compressed. Byte tables: docs/store-format.md.
//
// Errors: kStoreDamaged, kStoreFull, those of Disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/disk.h"
#include "store/format.h"
#include "store/manifest.h"
#include "store/segment_log.h"

namespace lb::store {

class ColdWriter {
public:
    ColdWriter(Disk& disk, std::string store_directory, const StoreId& store_id, SegmentId segment)
        : disk_(disk),
          store_directory_(std::move(store_directory)),
          store_id_(store_id),
          segment_(segment) {}
    ~ColdWriter();
    ColdWriter(const ColdWriter&) = delete;
    ColdWriter& operator=(const ColdWriter&) = delete;

    Status begin();
    // `identity`: type, line, object, block, sequence. Requires: sorted by these.
    Status add(const RecordHeader& identity, ByteView plain);
    // Durable on return. Without it, the file is removed.
    Result<ColdFile> finish();

private:
    Status write_out();

    Disk& disk_;
    const std::string store_directory_;
    const StoreId store_id_;
    const SegmentId segment_;
    std::unique_ptr<File> file_;
    Bytes buffer_;
    uint64_t written_bytes_ = 0;
    uint64_t plain_bytes_ = 0;
    uint64_t last_sequence_ = 0;
    std::vector<FooterEntry> entries_;
    bool is_finished_ = false;
};

// The footer, after checks of header and size.
Result<Footer> read_cold_footer(File& file, const StoreId& store_id, const ColdFile& cold);

// Calls `visit` with each record in order. Payloads of small records are read and checked; those of
// blocks are not (they are empty).
Status visit_cold(File& file, const StoreId& store_id, const ColdFile& cold,
                  const std::function<Status(const ReplayRecord&)>& visit);

}  // namespace lb::store
