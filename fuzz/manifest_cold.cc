// What reclaim writes and a restart reads: the manifest and cold segments. No bytes may make a
// decoder crash; a manifest that decodes encodes to the same bytes; whatever a cold segment claims,
// only places inside of it are read.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/hash.h"
#include "store/cold_segment.h"
#include "store/cold_survey.h"
#include "store/compression.h"
#include "store/disk_memory.h"
#include "store/manifest.h"
#include "store/segment_files.h"

using namespace lb;
using namespace lb::store;

namespace {

const StoreId kStore{std::byte{1}, std::byte{2}};

// The checksum keeps a fuzzer out, so it is made right.
void decode(Bytes bytes) {
    if (bytes.size() >= 40) {
        std::ranges::copy(kStore, bytes.begin() + 16);
        ByteView hashed = ByteView(bytes).first(bytes.size() - 8);
        store_little_endian(bytes.data() + hashed.size(), hash64(hashed, 7));
    }
    Result<Manifest> manifest = decode_manifest(bytes, kStore);
    if (!manifest) return;
    Bytes again = encode_manifest(*manifest, kStore);
    LB_ASSERT(encode_manifest(LB_MUST(decode_manifest(again, kStore)), kStore) == again);
}

void read_cold(ByteView bytes) {
    if (bytes.size() < kFooterTailBytes) return;
    ByteView tail = bytes.last(kFooterTailBytes);
    ColdFile cold{.segment = SegmentId{kFirstColdSegment},
                  .size_bytes = bytes.size(),
                  .record_count = load_little_endian<uint32_t>(tail.data() + 4)};
    MemoryDisk disk;
    for (const char* directory : {"store", "store/cold"}) LB_MUST(disk.create_directory(directory));
    auto file = LB_MUST(disk.open(segment_path("store", cold.segment), OpenMode::kCreate));
    LB_MUST(file->write_at(0, {&bytes, 1}));
    auto visit = [](const ReplayRecord&) { return ok(); };
    static_cast<void>(visit_cold(*file, kStore, cold, visit).is_ok());
    LB_MUST(survey_cold_segment(disk, "store", kStore, cold,
                                {.record = visit, .problem = [](const Problem&) {}}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    ByteView bytes = std::as_bytes(std::span(data, size));
    decode(Bytes(bytes.begin(), bytes.end()));
    read_cold(bytes);
    std::array<std::byte, kBlockBytes> out;
    static_cast<void>(decompress(bytes, out).has_value());
    return 0;
}
