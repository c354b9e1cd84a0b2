#include "store/time_index.h"

namespace lb::store {

namespace {

constexpr size_t kKeyBytes = 1 + 8;

uint64_t nanoseconds(WallTime time) {
    return static_cast<uint64_t>(time.time_since_epoch().count());
}

}  // namespace

IndexKey time_key(WallTime time) {
    IndexKey key(KeySpace::kTime);
    key.u64(~nanoseconds(time));
    return key;
}

void put_time(IndexBatch& batch, const TimeEntry& entry) {
    Encoder encoder;
    encoder.u64(entry.sequence());
    encoder.u64(entry.before.segment.value());
    encoder.u64(entry.before.offset);
    batch.put(time_key(entry.written_at), as_text(encoder.out()));
}

TimeEntry entry_of_base(const LogBase& base) {
    return {.written_at = base.previous_written_at,
            .before = {.segment = base.first_segment,
                       .offset = kSegmentHeaderBytes,
                       .sequence = base.previous_sequence}};
}

Error unreadable_time() {
    return {.code = ErrorCode::kStoreDamaged,
            .message = "the index has an unreadable entry for a time",
            .help = "restart lb with the index directory removed"};
}

std::optional<TimeEntry> decode_time_entry(std::string_view key, std::string_view value) {
    Decoder decoder(as_bytes(value));
    uint64_t sequence = decoder.u64();
    SegmentId segment{decoder.u64()};
    uint64_t offset = decoder.u64();
    bool is_time = key.size() == kKeyBytes && key.front() == static_cast<char>(KeySpace::kTime);
    if (!is_time || !decoder.is_finished() || sequence == 0) return std::nullopt;
    auto count = static_cast<int64_t>(sequence_in_key(key));
    return TimeEntry{.written_at = WallTime(std::chrono::nanoseconds(count)),
                     .before = {.segment = segment, .offset = offset, .sequence = sequence - 1}};
}

}  // namespace lb::store
