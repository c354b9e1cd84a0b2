// A mount that goes on under another transport and another opening of its store, as it does when
// the daemon executes a new image of itself (tests/cli/handover_test.cc does that).
#include <dirent.h>
#include <fcntl.h>

#include <set>
#include <thread>

#include "store/fuse_handover.h"
#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

using namespace std::chrono_literals;

class FuseHandoverTest : public MountedStore {
protected:
    // In another image they would be gone without a trace; here they stay, and do nothing.
    struct Forgotten {
        std::unique_ptr<Store> store;
        std::unique_ptr<FuseTransport> transport;
    };
    static std::vector<Forgotten>& forgotten() {
        static auto* const list = std::make_unique<std::vector<Forgotten>>().release();
        return *list;
    }

    FuseHandover close_old() {
        FuseHandover handover = transport_->hand_over();
        EXPECT_EQ(handover, LB_MUST(decode_fuse_handover(encode(handover))));
        LB_MUST(store_->close());
        return handover;
    }
    void open_new(const FuseHandover& handover) {
        int descriptor = ::fcntl(transport_->descriptor(), F_DUPFD_CLOEXEC, 0);
        forgotten().push_back({std::move(store_), std::move(transport_)});
        store_ = LB_MUST(Store::open({.directory = store_directory(),
                                      .segment_bytes = 4 << 20,
                                      .open_inodes = handover.open_inodes}));
        transport_ = LB_MUST(FuseTransport::adopt(
            *store_, {.mount_directory = mount_directory(), .uid = ::getuid(), .gid = ::getgid()},
            descriptor, handover));
    }
    void hand_over() {
        transport_->pause();
        open_new(close_old());
    }
};

TEST_F(FuseHandoverTest, OpenFilesGoOn) {
    std::string text(100'000, 'x');
    write_file(path("kept"), text);
    OpenFile kept(path("kept"), O_RDWR);
    OpenFile removed(path("removed"), O_RDWR | O_CREAT);
    ASSERT_EQ(::pwrite(removed.number(), text.data(), text.size(), 0), 100'000);
    ASSERT_EQ(::unlink(path("removed").c_str()), 0);
    for (int round = 0; round < 3; ++round) {
        hand_over();
        ASSERT_EQ(::pwrite(removed.number(), "yy", 2, 50'000 + round), 2);
        ASSERT_EQ(::fsync(removed.number()), 0);
        ASSERT_EQ(::pwrite(kept.number(), "zz", 2, 100'000 + 2 * round), 2);
        ASSERT_EQ(::fsync(kept.number()), 0);
        EXPECT_EQ(read_file(path("kept")).size(), 100'002u + 2 * static_cast<unsigned>(round));
    }
    std::string back(100'000, ' ');
    ASSERT_EQ(::posix_fadvise(removed.number(), 0, 0, POSIX_FADV_DONTNEED), 0);
    ASSERT_EQ(::pread(removed.number(), back.data(), back.size(), 0), 100'000);
    EXPECT_EQ(back, text.substr(0, 50'000) + "yyyy" + text.substr(50'004));
    EXPECT_EQ(store_->open_inodes().size(), 2u);
    EXPECT_EQ(errno_from([&] { return ::open(path("removed").c_str(), O_RDONLY); }), ENOENT);
}

TEST_F(FuseHandoverTest, RequestsWaitAndAreAnsweredByTheNewOne) {
    OpenFile file(path("file"), O_RDWR | O_CREAT);
    transport_->pause();
    std::atomic<int> done = 0;
    std::vector<std::thread> programs;
    for (int i = 0; i < 8; ++i) {
        programs.emplace_back([&, i] {
            std::string block(kBlockBytes, static_cast<char>('a' + i));
            EXPECT_EQ(::pwrite(file.number(), block.data(), block.size(), i * kBlockBytes),
                      ssize_t{kBlockBytes});
            EXPECT_EQ(::fsync(file.number()), 0);
            ++done;
        });
    }
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(done, 0);
    open_new(close_old());
    for (std::thread& program : programs) program.join();
    std::string text = read_file(path("file"));
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(text[static_cast<size_t>(i) * kBlockBytes], static_cast<char>('a' + i));
    }
}

TEST_F(FuseHandoverTest, ResumesIfNothingComesOfIt) {
    write_file(path("file"), "before");
    for (int round = 0; round < 3; ++round) {
        transport_->pause();
        static_cast<void>(transport_->hand_over());
        transport_->resume();
        EXPECT_EQ(read_file(path("file")), "before");
        write_file(path("other"), "after");
    }
}

TEST_F(FuseHandoverTest, AListingGoesOn) {
    constexpr int kFiles = 3000;
    for (int i = 0; i < kFiles; ++i) {
        LB_MUST(store_->create(line_, kRootInode, "file" + std::to_string(i), {}));
    }
    DIR* directory = ::opendir(path("").c_str());
    ASSERT_NE(directory, nullptr);
    std::multiset<std::string> names;
    auto read_some = [&](int count) {
        dirent* entry = nullptr;
        for (int i = 0; i < count && (entry = ::readdir(directory)) != nullptr; ++i) {
            names.insert(entry->d_name);
        }
    };
    read_some(10);
    hand_over();
    ASSERT_EQ(::unlink(path("file0").c_str()), 0);
    read_some(kFiles + 10);
    EXPECT_GE(names.size(), size_t{kFiles} - 1 + 2);
    EXPECT_EQ(names.size(), std::set<std::string>(names.begin(), names.end()).size());
    ::rewinddir(directory);
    names.clear();
    read_some(kFiles + 10);
    EXPECT_EQ(names.size(), size_t{kFiles} - 1 + 2);
    ::closedir(directory);
    // The kernel tells of it a little later.
    for (int i = 0; i < 1000 && !store_->open_inodes().empty(); ++i) {
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE(store_->open_inodes().empty());
}

// A block of which only the beginning has come belongs to nobody's store yet.
TEST_F(FuseHandoverTest, HeldWritesGoAlong) {
    write_file(path("file"), std::string(2 * kBlockBytes, 'o'));
    OpenFile file(path("file"), O_RDWR);
    ASSERT_EQ(::pwrite(file.number(), "new", 3, 0), 3);
    transport_->pause();
    FuseHandover handover = close_old();
    ASSERT_EQ(handover.held_writes.size(), 1u);
    open_new(handover);
    ASSERT_EQ(::fsync(file.number()), 0);
    std::array<std::byte, 4> bytes{};
    auto inode = LB_MUST(store_->lookup(line_, kRootInode, "file")).inode;
    ASSERT_EQ(LB_MUST(store_->read(line_, inode, 0, bytes)), 4u);
    EXPECT_EQ(as_text(bytes), "newo");
}

TEST_F(FuseHandoverTest, RefusesAnotherAgreement) {
    transport_->pause();
    FuseHandover handover = transport_->hand_over();
    transport_->resume();
    for (FuseHandover wrong : {FuseHandover{}, handover}) {
        if (!wrong.init_reply.empty()) wrong.init_reply.back() ^= std::byte{1};
        int other_end = ::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
        auto adopted =
            FuseTransport::adopt(*store_, {.mount_directory = mount_directory()}, other_end, wrong);
        ASSERT_FALSE(adopted);
        EXPECT_EQ(adopted.error().code, ErrorCode::kFuseMissing);
    }
}

TEST(FuseHandoverCodecTest, RefusesWhatIsCutOrTooLong) {
    FuseHandover handover{
        .init_request = Bytes(40),
        .init_reply = Bytes(80),
        .open_inodes = {{LineId{3}, InodeId{7}, 2}},
        .next_directory_handle = 5,
        .directories = {{.handle = 4, .entries = {{"a", 9, FileType::kDirectory}}}},
        .held_writes = {{{LineId{3}, InodeId{7}}, 99, 8192, Bytes(5)}},
        .late_failures = {{{LineId{3}, InodeId{8}}, ErrorCode::kStoreFull, "full"}}};
    Bytes bytes = encode(handover);
    EXPECT_EQ(LB_MUST(decode_fuse_handover(bytes)), handover);
    for (size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_fuse_handover(ByteView(bytes).first(size))) << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_fuse_handover(bytes));
}

}  // namespace
}  // namespace lb::store
