// Files through a real mount: the semantics that PostgreSQL relies on.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

class FuseFiles : public MountedStore {};

struct stat stat_of_path(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(::lstat(path.c_str(), &result), 0) << path << ": " << std::strerror(errno);
    return result;
}

off_t size_of(const std::string& path) { return stat_of_path(path).st_size; }

TEST_F(FuseFiles, WhatIsWrittenIsRead) {
    std::string text(100'000, 'x');
    for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    write_file(path("file"), text);
    EXPECT_EQ(read_file(path("file")), text);
    EXPECT_EQ(size_of(path("file")), 100'000);
    EXPECT_EQ(stat_of_path(path("file")).st_blksize, kBlockBytes);
}

TEST_F(FuseFiles, ExclusiveCreationRefusesAnExistingName) {
    OpenFile file(path("file"), O_CREAT | O_EXCL | O_RDWR);
    EXPECT_EQ(
        errno_from([&] { return ::open(path("file").c_str(), O_CREAT | O_EXCL | O_RDWR, 0600); }),
        EEXIST);
    EXPECT_EQ(errno_from([&] { return ::open(path("absent").c_str(), O_RDWR); }), ENOENT);
    EXPECT_EQ(errno_from([&] { return ::open(path("absent/file").c_str(), O_RDWR); }), ENOENT);
    EXPECT_EQ(errno_from([&] { return ::open(path("file/below").c_str(), O_RDWR); }), ENOTDIR);
}

TEST_F(FuseFiles, AnAbsentNameThatWasAskedForCanBeCreated) {
    EXPECT_EQ(errno_from([&] { return ::access(path("late").c_str(), F_OK); }), ENOENT);
    write_file(path("late"), "here");
    EXPECT_EQ(read_file(path("late")), "here");
}

TEST_F(FuseFiles, AnUnlinkedFileStaysUsableWhileOpen) {
    write_file(path("file"), "before");
    OpenFile file(path("file"), O_RDWR);
    ASSERT_EQ(::unlink(path("file").c_str()), 0);
    EXPECT_EQ(errno_from([&] { return ::access(path("file").c_str(), F_OK); }), ENOENT);
    EXPECT_EQ(::pwrite(file.number(), "AFTER", 5, 0), 5);
    char buffer[7] = {};
    EXPECT_EQ(::pread(file.number(), buffer, 6, 0), 6);
    EXPECT_STREQ(buffer, "AFTERe");
    EXPECT_EQ(::fsync(file.number()), 0);
    struct stat attributes {};
    EXPECT_EQ(::fstat(file.number(), &attributes), 0);
    EXPECT_EQ(attributes.st_nlink, 0u);
    write_file(path("file"), "another");
    EXPECT_EQ(::pread(file.number(), buffer, 6, 0), 6);
    EXPECT_STREQ(buffer, "AFTERe");
    EXPECT_EQ(::ftruncate(file.number(), 0), 0);
    EXPECT_EQ(read_file(path("file")), "another");
}

TEST_F(FuseFiles, RenameReplacesAndTheOldOneStaysOpen) {
    write_file(path("old"), "old");
    write_file(path("new"), "new");
    OpenFile replaced(path("old"), O_RDONLY);
    ASSERT_EQ(::rename(path("new").c_str(), path("old").c_str()), 0);
    EXPECT_EQ(read_file(path("old")), "new");
    EXPECT_EQ(errno_from([&] { return ::access(path("new").c_str(), F_OK); }), ENOENT);
    char buffer[4] = {};
    EXPECT_EQ(::pread(replaced.number(), buffer, 3, 0), 3);
    EXPECT_STREQ(buffer, "old");
}

TEST_F(FuseFiles, RenameFlags) {
    write_file(path("a"), "a");
    write_file(path("b"), "b");
    auto rename_with = [&](const char* from, const char* to, unsigned flags) {
        return errno_from([&] {
            return ::renameat2(AT_FDCWD, path(from).c_str(), AT_FDCWD, path(to).c_str(), flags);
        });
    };
    EXPECT_EQ(rename_with("a", "b", RENAME_NOREPLACE), EEXIST);
    EXPECT_EQ(rename_with("a", "b", RENAME_EXCHANGE), EINVAL);
    EXPECT_EQ(rename_with("a", "c", RENAME_NOREPLACE), 0);
    EXPECT_EQ(read_file(path("c")), "a");
    EXPECT_EQ(read_file(path("b")), "b");
}

TEST_F(FuseFiles, OpeningWithTruncationEmpties) {
    write_file(path("file"), std::string(50'000, 'x'));
    OpenFile file(path("file"), O_RDWR | O_TRUNC);
    EXPECT_EQ(size_of(path("file")), 0);
    EXPECT_EQ(::pwrite(file.number(), "y", 1, 10), 1);
    EXPECT_EQ(read_file(path("file")), std::string(10, '\0') + "y");
}

TEST_F(FuseFiles, AppendsOfManyWritersDoNotOverlap) {
    constexpr int kWriters = 4;
    constexpr int kLines = 100;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&, writer] {
            OpenFile file(path("log"), O_CREAT | O_WRONLY | O_APPEND);
            std::string line(16, static_cast<char>('a' + writer));
            line.back() = '\n';
            for (int i = 0; i < kLines; ++i) {
                EXPECT_EQ(::write(file.number(), line.data(), line.size()), 16);
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    std::string log = read_file(path("log"));
    ASSERT_EQ(log.size(), size_t{16} * kWriters * kLines);
    for (size_t i = 0; i < log.size(); i += 16) {
        EXPECT_EQ(log.substr(i, 16), std::string(15, log[i]) + "\n");
    }
}

TEST_F(FuseFiles, WhatWasCutOffReadsAsZerosAfterwards) {
    write_file(path("file"), std::string(30'000, 'x'));
    ASSERT_EQ(::truncate(path("file").c_str(), 10'000), 0);
    ASSERT_EQ(::truncate(path("file").c_str(), 40'000), 0);
    EXPECT_EQ(read_file(path("file")), std::string(10'000, 'x') + std::string(30'000, '\0'));
}

TEST_F(FuseFiles, AllocationExtendsAndHolesAreZeros) {
    OpenFile file(path("file"), O_CREAT | O_RDWR);
    EXPECT_EQ(::posix_fallocate(file.number(), 0, 64 << 10), 0);
    EXPECT_EQ(size_of(path("file")), 64 << 10);
    std::string full(64 << 10, 'x');
    EXPECT_EQ(::pwrite(file.number(), full.data(), full.size(), 0), 64 << 10);
    EXPECT_EQ(::fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, 1 << 20), 0);
    EXPECT_EQ(size_of(path("file")), 64 << 10);
    EXPECT_EQ(::fallocate(file.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 16384),
              0);
    full.replace(8192, 16384, 16384, '\0');
    EXPECT_EQ(read_file(path("file")), full);
    EXPECT_EQ(errno_from([&] { return ::fallocate(file.number(), FALLOC_FL_ZERO_RANGE, 0, 8192); }),
              EOPNOTSUPP);
}

TEST_F(FuseFiles, NothingIsLargerThanTheLargestFile) {
    OpenFile file(path("file"), O_CREAT | O_RDWR);
    constexpr auto kEnd = static_cast<off_t>(kFileMaxBytes);
    EXPECT_EQ(errno_from([&] { return ::ftruncate(file.number(), kEnd + 1); }), EFBIG);
    EXPECT_EQ(errno_from([&] { return ::fallocate(file.number(), 0, kEnd - 1, 2); }), EFBIG);
    EXPECT_EQ(errno_from([&] { return static_cast<int>(::pwrite(file.number(), "a", 1, kEnd)); }),
              EFBIG);
    EXPECT_EQ(size_of(path("file")), 0);
}

TEST_F(FuseFiles, SizeIsSeenAfterEveryKindOfGrowth) {
    OpenFile file(path("file"), O_CREAT | O_RDWR);
    OpenFile second(path("file"), O_RDONLY);
    std::string block(kBlockBytes, 'b');
    for (int blocks = 1; blocks <= 20; ++blocks) {
        ASSERT_EQ(::pwrite(file.number(), block.data(), block.size(), (blocks - 1) * kBlockBytes),
                  kBlockBytes);
        EXPECT_EQ(::lseek(second.number(), 0, SEEK_END), blocks * kBlockBytes);
    }
    ASSERT_EQ(::ftruncate(file.number(), 3 * kBlockBytes), 0);
    EXPECT_EQ(::lseek(second.number(), 0, SEEK_END), 3 * kBlockBytes);
}

TEST_F(FuseFiles, ModesOwnersAndTimes) {
    write_file(path("file"), "x");
    ASSERT_EQ(::chmod(path("file").c_str(), 0640), 0);
    EXPECT_EQ(stat_of_path(path("file")).st_mode, mode_t{S_IFREG | 0640});
    EXPECT_EQ(::chown(path("file").c_str(), ::getuid(), ::getgid()), 0);
    EXPECT_EQ(errno_from([&] { return ::chown(path("file").c_str(), ::getuid() + 1, -1u); }),
              EPERM);
    timespec times[2] = {{1'000, 5}, {2'000'000'000, 123'456'789}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path("file").c_str(), times, 0), 0);
    EXPECT_EQ(stat_of_path(path("file")).st_mtim.tv_sec, 2'000'000'000);
    EXPECT_EQ(stat_of_path(path("file")).st_mtim.tv_nsec, 123'456'789);
    ASSERT_EQ(::utimensat(AT_FDCWD, path("file").c_str(), nullptr, 0), 0);
    EXPECT_NEAR(static_cast<double>(stat_of_path(path("file")).st_mtim.tv_sec),
                static_cast<double>(::time(nullptr)), 5);
    ASSERT_EQ(::mkdir(path("directory").c_str(), 0700), 0);
    EXPECT_EQ(stat_of_path(path("directory")).st_mode, mode_t{S_IFDIR | 0700});
}

TEST_F(FuseFiles, HardLinks) {
    write_file(path("one"), "text");
    ASSERT_EQ(::link(path("one").c_str(), path("two").c_str()), 0);
    EXPECT_EQ(stat_of_path(path("one")).st_ino, stat_of_path(path("two")).st_ino);
    EXPECT_EQ(stat_of_path(path("one")).st_nlink, 2u);
    write_file(path("two"), "changed");
    EXPECT_EQ(read_file(path("one")), "changed");
    ASSERT_EQ(::unlink(path("one").c_str()), 0);
    EXPECT_EQ(stat_of_path(path("two")).st_nlink, 1u);
    EXPECT_EQ(read_file(path("two")), "changed");
}

TEST_F(FuseFiles, SymbolicLinksStayInsideTheLine) {
    write_file(path("target"), "text");
    ASSERT_EQ(::symlink("target", path("link").c_str()), 0);
    EXPECT_EQ(read_file(path("link")), "text");
    char text[64] = {};
    EXPECT_EQ(::readlink(path("link").c_str(), text, sizeof text), 6);
    EXPECT_STREQ(text, "target");
    // What CREATE TABLESPACE would make: data outside of the store.
    EXPECT_EQ(errno_from([&] { return ::symlink("/tmp", path("outside").c_str()); }), EOPNOTSUPP);
    EXPECT_EQ(errno_from([&] { return ::unlink(path("outside").c_str()); }), ENOENT);
}

TEST_F(FuseFiles, SpecialFilesAreRefused) {
    EXPECT_EQ(errno_from([&] { return ::mkfifo(path("fifo").c_str(), 0600); }), EOPNOTSUPP);
    EXPECT_EQ(::mknod(path("regular").c_str(), S_IFREG | 0600, 0), 0);
    EXPECT_EQ(errno_from([&] { return ::setxattr(path("regular").c_str(), "user.a", "b", 1, 0); }),
              EOPNOTSUPP);
}

TEST_F(FuseFiles, ReadsByPrivateMapping) {
    std::string text(20'000, 'm');
    write_file(path("file"), text);
    OpenFile file(path("file"), O_RDONLY);
    void* mapped = ::mmap(nullptr, text.size(), PROT_READ, MAP_PRIVATE, file.number(), 0);
    ASSERT_NE(mapped, MAP_FAILED) << std::strerror(errno);
    EXPECT_EQ(std::memcmp(mapped, text.data(), text.size()), 0);
    ::munmap(mapped, text.size());
}

TEST_F(FuseFiles, CopiesWithTheKernelsHelp) {
    std::string text(3'000'000, 'c');
    write_file(path("from"), text);
    std::filesystem::copy_file(path("from"), path("to"));
    EXPECT_TRUE(read_file(path("to")) == text);
}

TEST_F(FuseFiles, SyncIsDurableAndFreeWhenClean) {
    OpenFile file(path("file"), O_CREAT | O_RDWR);
    std::string block(kBlockBytes, 's');
    ASSERT_EQ(::pwrite(file.number(), block.data(), block.size(), 0), kBlockBytes);
    ASSERT_EQ(::fdatasync(file.number()), 0);
    FileAttributes attributes = LB_MUST(store_->lookup(line_, kRootInode, "file"));
    EXPECT_TRUE(store_->is_durable(attributes.last_sequence));
    uint64_t syncs = store_->statistics().syncs.count();
    for (int i = 0; i < 10; ++i) ASSERT_EQ(::fsync(file.number()), 0);
    EXPECT_EQ(store_->statistics().syncs.count(), syncs);
}

TEST_F(FuseFiles, ManyThreadsSyncAtOnce) {
    constexpr int kThreads = 16;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            OpenFile file(path("file" + std::to_string(thread)), O_CREAT | O_RDWR);
            std::string block(kBlockBytes, static_cast<char>('a' + thread));
            for (int i = 0; i < 20; ++i) {
                EXPECT_EQ(::pwrite(file.number(), block.data(), block.size(), i * kBlockBytes),
                          kBlockBytes);
                EXPECT_EQ(::fdatasync(file.number()), 0);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (int thread = 0; thread < kThreads; ++thread) {
        EXPECT_EQ(size_of(path("file" + std::to_string(thread))), 20 * kBlockBytes);
    }
}

TEST_F(FuseFiles, FileSystemFigures) {
    struct statvfs figures {};
    ASSERT_EQ(::statvfs(path("").c_str(), &figures), 0);
    EXPECT_EQ(figures.f_bsize, kBlockBytes);
    EXPECT_EQ(figures.f_namemax, kNameMaxBytes);
    EXPECT_GT(figures.f_bavail, 0u);
    EXPECT_EQ(errno_from([&] {
                  return ::open(path(std::string(256, 'n')).c_str(), O_CREAT | O_RDWR, 0600);
              }),
              ENAMETOOLONG);
    write_file(path(std::string(255, 'n')), "longest");
    EXPECT_EQ(read_file(path(std::string(255, 'n'))), "longest");
}

}  // namespace
}  // namespace lb::store
