// Block atomicity: however a program hands over its data, the store gets whole 8 KiB blocks.
#include <fcntl.h>
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

class FuseAtomicity : public MountedStore {
protected:
    void SetUp() override {
        MountedStore::SetUp();
        if (!transport_) return;
        // Over existing data, where a cut block would be a mixture of old and new.
        write_file(path("file"), std::string(2 * kBigBytes, 'o'));
        file_ = std::make_unique<OpenFile>(path("file"), O_RDWR);
        requests_before_ = transport_->statistics().request_count;
        splits_before_ = transport_->statistics().split_write_count;
    }
    uint64_t requests() const { return transport_->statistics().request_count - requests_before_; }
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

TEST_F(FuseAtomicity, LargeWritesFromUnalignedBuffersArriveAsWholeBlocks) {
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

TEST_F(FuseAtomicity, OneBlockIsOneRequest) {
    for (size_t shift = 0; shift < kPageBytes; shift += 97) {
        ShiftedBuffer buffer(kBlockBytes, shift, 'n');
        uint64_t requests_before = requests();
        ASSERT_EQ(::pwrite(file_->number(), buffer.data(), kBlockBytes, kBlockBytes), kBlockBytes);
        EXPECT_EQ(requests() - requests_before, 1u);
    }
    EXPECT_EQ(splits(), 0u);
}

// PostgreSQL's vectored writes: up to 32 blocks (PG_IOV_MAX), each somewhere else in memory.
TEST_F(FuseAtomicity, VectoredWritesArriveAsWholeBlocks) {
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

// The counter that the other tests trust.
TEST_F(FuseAtomicity, SplitsAreCounted) {
    std::string half(kBlockBytes / 2, 'h');
    ASSERT_EQ(::pwrite(file_->number(), half.data(), half.size(), 0), kBlockBytes / 2);
    EXPECT_EQ(splits(), 1u);
    ASSERT_EQ(::pwrite(file_->number(), half.data(), half.size(), kBlockBytes / 2),
              kBlockBytes / 2);
    EXPECT_EQ(splits(), 2u);
    // At the end of the file a part of a block is all there is.
    ASSERT_EQ(::pwrite(file_->number(), half.data(), 100, 2 * kBigBytes), 100);
    ASSERT_EQ(::pwrite(file_->number(), half.data(), 100, 2 * kBigBytes + 100), 100);
    EXPECT_EQ(splits(), 2u);
}

// A fork in the middle of a stream of block writes sees each block old or new, never mixed.
TEST_F(FuseAtomicity, ForksSeeWholeBlocks) {
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
        for (int round = 0; !is_over; ++round) {
            ShiftedBuffer buffer(kBigBytes, 4064, static_cast<char>('A' + round % 26));
            EXPECT_EQ(::pwrite(file_->number(), buffer.data(), kBigBytes, 0),
                      static_cast<ssize_t>(kBigBytes));
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

}  // namespace
}  // namespace lb::store
