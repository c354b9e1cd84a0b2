// The memory disk's own promises: what a power cut keeps, which calls fail, what a full disk does.
// The crash tests of the store are worth as much as these.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "store/disk_memory.h"

namespace lb::store {
namespace {

const Error kBroken{.code = ErrorCode::kIo, .message = "broken"};

void write(File& file, uint64_t offset, const Bytes& bytes) {
    ByteView piece = bytes;
    LB_MUST(file.write_at(offset, {&piece, 1}));
}

Bytes filled(size_t size, int value) { return Bytes(size, static_cast<std::byte>(value)); }

Bytes contents(Disk& disk, const std::string& path) {
    auto file = LB_MUST(disk.open(path, OpenMode::kRead));
    Bytes bytes(LB_MUST(file->size_bytes()));
    LB_MUST(file->read_at(0, bytes));
    return bytes;
}

// A file of two synced KiB of ones, durable under its name.
std::unique_ptr<File> durable_file(MemoryDisk& disk) {
    auto file = LB_MUST(disk.open("a", OpenMode::kCreate));
    write(*file, 0, filled(2048, 1));
    LB_MUST(file->sync());
    LB_MUST(disk.sync_directory("."));
    return file;
}

TEST(MemoryDisk, APowerCutKeepsWhatWasSynced) {
    for (uint64_t seed = 0; seed < 50; ++seed) {
        MemoryDisk disk;
        durable_file(disk);
        disk.crash(seed);
        EXPECT_EQ(contents(disk, "a"), filled(2048, 1));
    }
}

TEST(MemoryDisk, APowerCutKeepsUnsyncedWritesWhollyOrNotOrTornAtSectors) {
    std::set<size_t> kept_sectors;
    bool is_torn_at_random = false;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        MemoryDisk disk;
        auto file = durable_file(disk);
        write(*file, 0, filled(2048, 2));
        disk.crash(seed);
        Bytes found = contents(disk, "a");
        ASSERT_EQ(found.size(), 2048u);
        size_t kept = 0;
        for (size_t at = 0; at < 2048; at += 512) {
            ByteView sector = ByteView(found).subspan(at, 512);
            ASSERT_TRUE(std::ranges::all_of(sector, [&](std::byte b) { return b == sector[0]; }));
            if (sector[0] == std::byte{2}) ++kept;
        }
        kept_sectors.insert(kept);
        is_torn_at_random |= kept == 1 && found[0] == std::byte{1};
    }
    EXPECT_EQ(kept_sectors, (std::set<size_t>{0, 1, 2, 3, 4}));
    EXPECT_TRUE(is_torn_at_random);
}

TEST(MemoryDisk, WritesAreKeptIndependently) {
    bool is_second_alone = false;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        MemoryDisk disk;
        auto file = durable_file(disk);
        write(*file, 0, filled(512, 2));
        write(*file, 512, filled(512, 3));
        disk.crash(seed);
        Bytes found = contents(disk, "a");
        is_second_alone |= found[0] == std::byte{1} && found[512] == std::byte{3};
    }
    EXPECT_TRUE(is_second_alone);
}

TEST(MemoryDisk, NamesNeedADirectorySync) {
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
        MemoryDisk disk;
        auto file = LB_MUST(disk.open("a", OpenMode::kCreate));
        write(*file, 0, filled(8, 1));
        LB_MUST(file->sync());
        disk.crash(seed);
        if (!LB_MUST(disk.exists("a"))) ++lost;
    }
    EXPECT_GT(lost, 20u);
    EXPECT_LT(lost, 80u);
}

TEST(MemoryDisk, ARenameIsAtomic) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
        MemoryDisk disk;
        durable_file(disk);
        LB_MUST(disk.rename("a", "b"));
        disk.crash(seed);
        EXPECT_NE(LB_MUST(disk.exists("a")), LB_MUST(disk.exists("b")));
    }
}

TEST(MemoryDisk, FilesAreDeadAfterAPowerCut) {
    MemoryDisk disk;
    auto file = durable_file(disk);
    disk.crash(1);
    Status status = file->sync();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
    EXPECT_FALSE(file->size_bytes());
}

TEST(MemoryDisk, WhatAFailedSyncLostALaterSyncDoesNotBringBack) {
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
        MemoryDisk disk(seed);
        auto file = durable_file(disk);
        write(*file, 0, filled(512, 2));
        disk.fail_after(0, kBroken, FaultMode::kOnce);
        ASSERT_FALSE(file->sync());
        LB_MUST(file->sync());
        EXPECT_EQ(contents(disk, "a")[0], std::byte{2});
        disk.crash(seed);
        if (contents(disk, "a")[0] == std::byte{1}) ++lost;
    }
    EXPECT_GT(lost, 20u);
}

TEST(MemoryDisk, FailsTheCallThatWasAskedFor) {
    MemoryDisk disk;
    disk.fail_after(2, kBroken, FaultMode::kOnce);
    EXPECT_TRUE(disk.exists("a"));
    EXPECT_TRUE(disk.exists("a"));
    EXPECT_FALSE(disk.exists("a"));
    EXPECT_TRUE(disk.exists("a"));
    disk.fail_after(0, kBroken, FaultMode::kFromThenOn);
    EXPECT_FALSE(disk.exists("a"));
    EXPECT_FALSE(disk.exists("a"));
    disk.stop_failing();
    EXPECT_TRUE(disk.exists("a"));
    EXPECT_EQ(disk.call_count(), 7u);
}

TEST(MemoryDisk, AFailedWriteMayHaveWrittenAPart) {
    std::set<size_t> written;
    for (uint64_t seed = 0; seed < 50; ++seed) {
        MemoryDisk disk(seed);
        auto file = durable_file(disk);
        disk.fail_after(0, kBroken, FaultMode::kOnce);
        Bytes bytes = filled(2048, 2);
        ByteView piece = bytes;
        ASSERT_FALSE(file->write_at(0, {&piece, 1}));
        Bytes found = contents(disk, "a");
        written.insert(static_cast<size_t>(std::ranges::count(found, std::byte{2})));
    }
    EXPECT_GT(written.size(), 10u);
}

TEST(MemoryDisk, ReservesWithinItsCapacity) {
    MemoryDisk disk;
    disk.set_capacity_bytes(10'000);
    auto file = LB_MUST(disk.open("a", OpenMode::kCreate));
    LB_MUST(file->allocate(8000));
    EXPECT_EQ(LB_MUST(disk.free_bytes(".")), 2000u);
    auto other = LB_MUST(disk.open("b", OpenMode::kCreate));
    Status full = other->allocate(3000);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kStoreFull);
    EXPECT_EQ(full.error().system_errno, ENOSPC);
    write(*file, 0, filled(8000, 1));
    write(*other, 0, filled(2000, 1));
    EXPECT_EQ(disk.used_bytes(), 10'000u);
    LB_MUST(disk.remove("a"));
    write(*other, 2000, filled(3000, 1));
}

TEST(MemoryDisk, TheSameSeedGivesTheSameBytes) {
    auto run = [](uint64_t seed) {
        MemoryDisk disk(seed);
        auto file = durable_file(disk);
        for (int i = 0; i < 20; ++i) write(*file, static_cast<uint64_t>(i) * 700, filled(900, i));
        disk.crash(seed);
        return contents(disk, "a");
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_NE(run(5), run(6));
}

}  // namespace
}  // namespace lb::store
