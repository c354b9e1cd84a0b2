// The files that reclaim makes: cold segments and the manifest. No flipped bit goes unnoticed, and
// a torn manifest is made good from its other copy.
#include "store/cold_segment.h"

#include <gtest/gtest.h>

#include <random>

#include "base/text.h"
#include "store/disk_memory.h"
#include "store/segment_files.h"
#include "store/segment_scan.h"

namespace lb::store {
namespace {

const StoreId kStore{std::byte{7}, std::byte{8}};
const SegmentId kCold{kFirstColdSegment + 3};

Bytes read_all(Disk& disk, const std::string& path) {
    auto file = LB_MUST(disk.open(path, OpenMode::kRead));
    Bytes bytes(LB_MUST(file->size_bytes()));
    LB_MUST(file->read_at(0, bytes));
    return bytes;
}

void write_all(Disk& disk, const std::string& path, ByteView bytes) {
    if (LB_MUST(disk.exists(path))) LB_MUST(disk.remove(path));
    auto file = LB_MUST(disk.open(path, OpenMode::kCreate));
    LB_MUST(file->write_at(0, {&bytes, 1}));
}

struct ColdStore {
    ColdStore() {
        LB_MUST(disk.create_directory("store"));
        ColdWriter writer(disk, "store", kStore, kCold);
        LB_MUST(writer.begin());
        std::mt19937_64 random(3);
        for (uint32_t i = 0; i < 20; i++) {
            Bytes block(kBlockBytes, static_cast<std::byte>('a' + i));
            if (i % 4 == 1) {
                for (std::byte& byte : block) byte = static_cast<std::byte>(random());
            }
            if (i % 4 == 2) block.clear();
            headers.push_back({.line = 1, .object = 5 << 24, .block = i, .sequence = 10 + i});
            LB_MUST(writer.add(headers.back(), block));
            block.resize(kBlockBytes);
            blocks.push_back(std::move(block));
        }
        LB_MUST(writer.add({.type = RecordType::kTruncate, .line = 2, .sequence = 4}, {}));
        LB_MUST(writer.add({.type = RecordType::kLineSize, .line = 2, .sequence = 5},
                           Bytes(8, std::byte{1})));
        cold = LB_MUST(writer.finish());
    }

    MemoryDisk disk;
    std::vector<RecordHeader> headers;
    std::vector<Bytes> blocks;
    ColdFile cold;
    std::string path = segment_path("store", kCold);
};

// Errors, or everything as it was written.
Status read_back(ColdStore& store) {
    auto file = LB_TRY(store.disk.open(store.path, OpenMode::kRead));
    size_t count = 0;
    LB_TRY(visit_cold(*file, kStore, store.cold, [&](const ReplayRecord& record) -> Status {
        count++;
        if (record.header.type != RecordType::kBlock) return ok();
        size_t i = record.header.block;
        Bytes out(kBlockBytes);
        LB_TRY(read_record(*file, UINT32_MAX, record.location, store.headers.at(i),
                           std::span<std::byte, kBlockBytes>(out)));
        EXPECT_EQ(out, store.blocks.at(i));
        return ok();
    }));
    EXPECT_EQ(count, store.cold.record_count);
    return ok();
}

TEST(ColdSegment, GivesBackWhatWasWritten) {
    ColdStore store;
    LB_MUST(read_back(store));
    EXPECT_EQ(store.cold.record_count, 22U);
    EXPECT_LT(store.cold.size_bytes, 70'000U);
    EXPECT_GT(store.cold.plain_bytes, 120'000U);
}

TEST(ColdSegment, NoFlippedBitGoesUnnoticed) {
    ColdStore store;
    Bytes bytes = read_all(store.disk, store.path);
    for (size_t at = 0; at < bytes.size(); at += at < 5000 ? 7 : 31) {
        Bytes changed = bytes;
        changed[at] ^= std::byte{4};
        write_all(store.disk, store.path, changed);
        Status status = read_back(store);
        // Padding between records is covered by nothing, and read by nobody.
        if (status.is_ok()) {
            EXPECT_EQ(bytes[at], std::byte{0}) << at;
        }
    }
}

TEST(ColdSegment, WithoutFinishThereIsNoFile) {
    MemoryDisk disk;
    LB_MUST(disk.create_directory("store"));
    {
        ColdWriter writer(disk, "store", kStore, kCold);
        LB_MUST(writer.begin());
        LB_MUST(writer.add({.line = 1, .sequence = 1}, Bytes(100, std::byte{1})));
    }
    EXPECT_FALSE(LB_MUST(disk.exists(segment_path("store", kCold))));
}

Manifest sample(uint64_t number) {
    Manifest manifest{.number = number, .index_step = 3, .next_inode = 9, .next_line = 4};
    manifest.base = {.first_segment = SegmentId{5}, .previous_sequence = 100 + number};
    manifest.lines = {{.line = LineId{1}, .logical_bytes = 77},
                      {.line = LineId{3}, .parent = LineId{1}, .is_deleted = true}};
    for (int i = 0; i < 100; i++) manifest.notes[cat("key", i)] = std::string(30, 'v');
    manifest.next_cold_segment = kFirstColdSegment + 9;
    manifest.cold = {{kCold, 1000, 22, 5000}};
    manifest.history.floors[LineId{1}] = 50;
    manifest.history.points = {{10, 20}, {11, 25}};
    manifest.step = ReclaimStep{.hot_end = SegmentId{6},
                                .cold_inputs = {kCold},
                                .output = ColdFile{SegmentId{kFirstColdSegment + 8}, 1, 2, 3}};
    return manifest;
}

TEST(ManifestFile, DecodesToWhatWasEncoded) {
    Bytes bytes = encode_manifest(sample(4), kStore);
    Manifest back = LB_MUST(decode_manifest(bytes, kStore));
    EXPECT_EQ(encode_manifest(back, kStore), bytes);
    EXPECT_EQ(back.step, sample(4).step);
    EXPECT_EQ(back.history, sample(4).history);
    EXPECT_FALSE(decode_manifest(bytes, StoreId{}).is_ok());
    for (size_t at = 0; at < bytes.size(); at++) {
        for (std::byte flip : {std::byte{1}, std::byte{128}}) {
            Bytes changed = bytes;
            changed[at] ^= flip;
            EXPECT_FALSE(decode_manifest(changed, kStore).is_ok()) << at;
        }
        EXPECT_FALSE(decode_manifest(ByteView(bytes).first(at), kStore).is_ok()) << at;
    }
}

TEST(ManifestFile, ATornCopyIsMadeGoodFromTheOther) {
    Bytes bytes = encode_manifest(sample(2), kStore);
    Bytes old = encode_manifest(sample(1), kStore);
    for (const char* torn : {"store/MANIFEST", "store/MANIFEST.copy"}) {
        for (size_t sector = 0; sector < bytes.size(); sector += 512) {
            MemoryDisk disk;
            LB_MUST(disk.create_directory("store"));
            LB_MUST(write_manifest(disk, "store", kStore, sample(2)));
            Bytes changed = bytes;
            for (size_t i = sector; i < std::min(bytes.size(), sector + 512); i++) {
                changed[i] = i < old.size() ? old[i] : std::byte{0};
            }
            if (changed == bytes) changed[sector] ^= std::byte{1};
            write_all(disk, torn, changed);
            EXPECT_EQ(LB_MUST(open_manifest(disk, "store", kStore))->number, 2U);
            EXPECT_EQ(read_all(disk, "store/MANIFEST"), bytes);
            EXPECT_EQ(read_all(disk, "store/MANIFEST.copy"), bytes);
        }
    }
}

TEST(ManifestFile, PowerCutsLeaveTheOldOrTheNewOne) {
    bool has_old = false;
    bool has_new = false;
    for (uint64_t n = 0; n < 60; n++) {
        for (uint64_t seed = 0; seed < 8; seed++) {
            MemoryDisk disk(seed);
            LB_MUST(disk.create_directory("store"));
            LB_MUST(disk.sync_directory(""));
            LB_MUST(write_manifest(disk, "store", kStore, sample(1)));
            disk.fail_after(n, Error{.code = ErrorCode::kIo, .message = "injected"},
                            FaultMode::kFromThenOn);
            bool is_written = write_manifest(disk, "store", kStore, sample(2)).is_ok();
            disk.crash(seed);
            uint64_t number = LB_MUST(open_manifest(disk, "store", kStore))->number;
            EXPECT_TRUE(number == 2 || (number == 1 && !is_written));
            (number == 2 ? has_new : has_old) = true;
        }
    }
    EXPECT_TRUE(has_old && has_new);
}

TEST(ManifestFile, BothDamagedIsDamage) {
    MemoryDisk disk;
    LB_MUST(disk.create_directory("store"));
    EXPECT_FALSE(LB_MUST(open_manifest(disk, "store", kStore)).has_value());
    write_all(disk, "store/MANIFEST", Bytes(100));
    write_all(disk, "store/MANIFEST.copy", Bytes(100));
    EXPECT_EQ(open_manifest(disk, "store", kStore).error().code, ErrorCode::kStoreDamaged);
}

}  // namespace
}  // namespace lb::store
