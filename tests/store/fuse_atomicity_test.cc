// Block atomicity: however a program hands over its data, the store gets whole 8 KiB blocks.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kBigBytes = size_t{4} << 20;

class FuseAtomicity : public MountedStore, public ::testing::WithParamInterface<FuseCache> {
protected:
    void SetUp() override {
        MountedStore::SetUp();
        if (!transport_) return;
        LB_MUST(transport_->unmount());
        mount(GetParam());
        // Over existing data, where a cut block would be a mixture of old and new.
        write_file(path("file"), std::string(2 * kBigBytes, 'o'));
        file_ = std::make_unique<OpenFile>(path("file"), O_RDWR);
        requests_before_ = transport_->statistics().request_count;
        splits_before_ = transport_->statistics().split_write_count;
    }
    uint64_t requests() const { return transport_->statistics().request_count - requests_before_; }
    uint64_t joins() const { return transport_->statistics().joined_write_count; }
    uint64_t splits() const { return transport_->statistics().split_write_count - splits_before_; }

    std::unique_ptr<OpenFile> file_;
    uint64_t requests_before_ = 0;
    uint64_t splits_before_ = 0;
};

// Memory that starts `shift` bytes after a page boundary.
class ShiftedBuffer {
public:
    ShiftedBuffer(size_t size, size_t shift, char fill)
        : memory_(static_cast<char*>(std::aligned_alloc(kPageBytes, size + 2 * kPageBytes))),
          data_(memory_ + shift) {
        std::memset(memory_, fill, size + 2 * kPageBytes);
    }
    ~ShiftedBuffer() { std::free(memory_); }
    ShiftedBuffer(const ShiftedBuffer&) = delete;
    char* data() const { return data_; }

private:
    char* memory_;
    char* data_;
};

TEST_P(FuseAtomicity, LargeWritesFromUnalignedBuffersArriveAsWholeBlocks) {
    for (size_t shift :
         {size_t{0}, size_t{1}, size_t{8}, size_t{100}, size_t{2048}, size_t{4064}, size_t{4095}}) {
        for (off_t offset : {off_t{0}, off_t{kBlockBytes}, off_t{77 * kBlockBytes}}) {
            ShiftedBuffer buffer(kBigBytes, shift, static_cast<char>('a' + shift % 26));
            uint64_t requests_before = requests();
            ASSERT_EQ(::pwrite(file_->number(), buffer.data(), kBigBytes, offset),
                      static_cast<ssize_t>(kBigBytes));
            EXPECT_EQ(splits(), 0u) << "shift " << shift << " offset " << offset;
            EXPECT_EQ(requests() - requests_before, 5u);  // of 127 blocks each
        }
    }
}

TEST_P(FuseAtomicity, OneBlockIsOneRequest) {
    for (size_t shift = 0; shift < kPageBytes; shift += 97) {
        ShiftedBuffer buffer(kBlockBytes, shift, 'n');
        uint64_t requests_before = requests();
        ASSERT_EQ(::pwrite(file_->number(), buffer.data(), kBlockBytes, kBlockBytes), kBlockBytes);
        EXPECT_EQ(requests() - requests_before, 1u);
    }
    EXPECT_EQ(splits(), 0u);
}

// PostgreSQL's vectored writes: up to 32 blocks (PG_IOV_MAX), each somewhere else in memory.
TEST_P(FuseAtomicity, VectoredWritesArriveAsWholeBlocks) {
    constexpr size_t kPieces = 32;
    for (size_t shift : {size_t{0}, size_t{8}, size_t{4095}}) {
        ShiftedBuffer buffer(kPieces * 3 * kBlockBytes, shift, 'v');
        std::array<iovec, kPieces> pieces{};
        for (size_t i = 0; i < kPieces; ++i) {
            pieces[i] = {buffer.data() + (kPieces - 1 - i) * 3 * kBlockBytes, kBlockBytes};
        }
        ASSERT_EQ(::pwritev(file_->number(), pieces.data(), kPieces, kBlockBytes),
                  static_cast<ssize_t>(kPieces * kBlockBytes));
    }
    EXPECT_EQ(splits(), 0u);
}

// A block whose second half the kernel finds absent from memory while it copies: the way to a cut.
class HalfAbsentBlock {
public:
    static constexpr size_t kMappedBytes = 4 * kPageBytes;

    HalfAbsentBlock(size_t shift, char fill)
        : memory_(static_cast<char*>(::mmap(nullptr, kMappedBytes, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
          data_(memory_ + shift) {
        ::madvise(memory_, kMappedBytes, MADV_NOHUGEPAGE);
        std::memset(data_, fill, kPageBytes - shift);
    }
    ~HalfAbsentBlock() { ::munmap(memory_, kMappedBytes); }
    HalfAbsentBlock(const HalfAbsentBlock&) = delete;
    char* data() const { return data_; }

private:
    char* memory_;
    char* data_;
};

TEST_P(FuseAtomicity, BlocksThatTheKernelCutsAreJoined) {
    for (size_t shift : {size_t{0}, size_t{8}, size_t{100}, size_t{4000}}) {
        for (int i = 0; i < 20; ++i) {
            HalfAbsentBlock block(shift, 'h');
            off_t offset = (1 + 3 * i) * off_t{kBlockBytes};
            ASSERT_EQ(::pwrite(file_->number(), block.data(), kBlockBytes, offset), kBlockBytes);
            std::string written(kPageBytes - shift, 'h');
            written.resize(kBlockBytes, '\0');
            std::string stored(kBlockBytes, '?');
            InodeId inode = LB_MUST(store_->lookup(line_, kRootInode, "file")).inode;
            LB_MUST(store_->read(line_, inode, static_cast<uint64_t>(offset),
                                 std::as_writable_bytes(std::span(stored))));
            EXPECT_TRUE(stored == written) << shift << " " << i;
        }
    }
    EXPECT_EQ(splits(), 0u);
    // Direct I/O is never cut; with the cache it depends on the kernel.
    EXPECT_TRUE(joins() == 0 || GetParam() == FuseCache::kKernel);
    RecordProperty("joined_writes", static_cast<int>(joins()));
}

// What a program writes in parts is there, for it and, soon, in the log.
TEST_P(FuseAtomicity, PartsOfBlocksAreKept) {
    InodeId inode = LB_MUST(store_->lookup(line_, kRootInode, "file")).inode;
    std::string part(1000, 'p');
    ASSERT_EQ(::pwrite(file_->number(), part.data(), part.size(), 5 * kBlockBytes), 1000);
    std::string seen(2000, '?');
    ASSERT_EQ(::pread(file_->number(), seen.data(), seen.size(), 5 * kBlockBytes), 2000);
    EXPECT_EQ(seen, part + std::string(1000, 'o'));
    // Nothing else happens on the mount: time alone brings it into the log.
    std::string stored(2000, '?');
    for (int i = 0; i < 100 && stored != seen; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        LB_MUST(
            store_->read(line_, inode, 5 * kBlockBytes, std::as_writable_bytes(std::span(stored))));
    }
    EXPECT_EQ(stored, seen);
    // And fsync at once.
    part.assign(1000, 'q');
    ASSERT_EQ(::pwrite(file_->number(), part.data(), part.size(), 7 * kBlockBytes), 1000);
    ASSERT_EQ(::fdatasync(file_->number()), 0);
    LB_MUST(store_->read(line_, inode, 7 * kBlockBytes, std::as_writable_bytes(std::span(stored))));
    EXPECT_EQ(stored, part + std::string(1000, 'o'));
}

// The counter that the other tests trust.
TEST_P(FuseAtomicity, SplitsAreCounted) {
    std::string half(kBlockBytes / 2, 'h');
    ASSERT_EQ(::pwrite(file_->number(), half.data(), half.size(), kBlockBytes / 2),
              kBlockBytes / 2);
    EXPECT_EQ(splits(), 1u);
    ASSERT_EQ(::pwrite(file_->number(), half.data(), half.size(), 0), kBlockBytes / 2);
    ASSERT_EQ(::fsync(file_->number()), 0);
    EXPECT_EQ(splits(), 2u);
    // At the end of the file a part of a block is all there is.
    ASSERT_EQ(::pwrite(file_->number(), half.data(), 100, 2 * kBigBytes), 100);
    ASSERT_EQ(::pwrite(file_->number(), half.data(), 100, 2 * kBigBytes + 100), 100);
    EXPECT_EQ(splits(), 2u);
}

// A fork in the middle of a stream of block writes sees each block old or new, never mixed.
TEST_P(FuseAtomicity, ForksSeeWholeBlocks) {
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
        for (int round = 0; !is_over; ++round) {
            ShiftedBuffer buffer(kBigBytes, 4064, static_cast<char>('A' + round % 26));
            EXPECT_EQ(::pwrite(file_->number(), buffer.data(), kBigBytes, 0),
                      static_cast<ssize_t>(kBigBytes));
            for (int i = 0; i < 100; ++i) {
                HalfAbsentBlock zeros(0, '\0');
                EXPECT_EQ(::pwrite(file_->number(), zeros.data(), kBlockBytes, i * kBlockBytes),
                          kBlockBytes);
            }
        }
    });
    for (int round = 0; round < 10; ++round) {
        LineId child = fork(line_);
        std::string copy = read_file(line_directory(child) + "/file");
        for (size_t block = 0; block < copy.size(); block += kBlockBytes) {
            std::string_view whole = std::string_view(copy).substr(block, kBlockBytes);
            EXPECT_EQ(whole.find_first_not_of(whole[0]), std::string_view::npos) << block;
        }
    }
    is_over = true;
    writer.join();
    EXPECT_EQ(splits(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Caches, FuseAtomicity,
                         ::testing::Values(FuseCache::kNone, FuseCache::kKernel),
                         [](const auto& information) {
                             return information.param == FuseCache::kNone ? "Direct" : "Cached";
                         });

}  // namespace
}  // namespace lb::store
