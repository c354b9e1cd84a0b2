// Directories and lines through a real mount.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

class FuseDirectories : public MountedStore {};

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

ino_t inode_of(const std::string& path) {
    struct stat attributes {};
    EXPECT_EQ(::stat(path.c_str(), &attributes), 0) << path;
    return attributes.st_ino;
}

TEST_F(FuseDirectories, TreesAreMadeMovedAndRemoved) {
    std::filesystem::create_directories(path("a/b/c"));
    write_file(path("a/b/c/file"), "deep");
    EXPECT_EQ(errno_from([&] { return ::rmdir(path("a").c_str()); }), ENOTEMPTY);
    ASSERT_EQ(::rename(path("a/b").c_str(), path("moved").c_str()), 0);
    EXPECT_EQ(read_file(path("moved/c/file")), "deep");
    EXPECT_EQ(names_in(path("a")), std::vector<std::string>{});
    EXPECT_EQ(errno_from([&] { return ::unlink(path("moved").c_str()); }), EISDIR);
    EXPECT_EQ(errno_from([&] { return ::rmdir(path("moved/c/file").c_str()); }), ENOTDIR);
    EXPECT_EQ(
        errno_from([&] { return ::rename(path("moved").c_str(), path("moved/c/x").c_str()); }),
        EINVAL);
    std::filesystem::remove_all(path("moved"));
    EXPECT_EQ(names_in(path("")), std::vector<std::string>{"a"});
}

// durable_rename() and CREATE DATABASE sync directories that they opened read-only.
TEST_F(FuseDirectories, DirectoriesCanBeSynced) {
    ASSERT_EQ(::mkdir(path("base").c_str(), 0700), 0);
    OpenFile directory(path("base"), O_RDONLY);
    write_file(path("base/1.tmp"), "x");
    ASSERT_EQ(::rename(path("base/1.tmp").c_str(), path("base/1").c_str()), 0);
    EXPECT_EQ(::fsync(directory.number()), 0);
    EXPECT_TRUE(store_->is_durable(store_->position().value()));
    OpenFile lines(mount_directory(), O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(::fsync(lines.number()), 0);
    ASSERT_EQ(::unlink(path("base/1").c_str()), 0);
    ASSERT_EQ(::rmdir(path("base").c_str()), 0);
    EXPECT_EQ(::fsync(directory.number()), 0);
}

TEST_F(FuseDirectories, ListingIsStableWhileNamesAreRemovedAndAdded) {
    constexpr int kCount = 10'000;
    ASSERT_EQ(::mkdir(path("many").c_str(), 0700), 0);
    for (int i = 0; i < kCount; ++i) {
        OpenFile file(path("many/" + std::to_string(i)), O_CREAT | O_WRONLY);
    }
    DIR* directory = ::opendir(path("many").c_str());
    ASSERT_NE(directory, nullptr);
    std::multiset<std::string> seen;
    int added = 0;
    while (const dirent* entry = ::readdir(directory)) {
        std::string name = entry->d_name;
        if (name[0] == '.') continue;
        seen.insert(name);
        EXPECT_EQ(::unlink(path("many/" + name).c_str()), 0) << name;
        if (seen.size() % 100 == 0) write_file(path("many/added" + std::to_string(added++)), "");
    }
    for (int i = 0; i < kCount; ++i) EXPECT_EQ(seen.count(std::to_string(i)), 1u) << i;
    // The removed ones must not have come back through the listing's attributes.
    for (int i = 0; i < kCount; i += 97) {
        EXPECT_NE(::access(path("many/" + std::to_string(i)).c_str(), F_OK), 0) << i;
    }
    ::rewinddir(directory);
    std::set<std::string> left;
    while (const dirent* entry = ::readdir(directory)) left.insert(entry->d_name);
    ::closedir(directory);
    EXPECT_EQ(left.size(), 2u + static_cast<size_t>(added));
    EXPECT_EQ(left.count("added0"), 1u);
}

TEST_F(FuseDirectories, ListingGivesTypesAndNumbers) {
    write_file(path("file"), "x");
    ASSERT_EQ(::mkdir(path("directory").c_str(), 0700), 0);
    ASSERT_EQ(::symlink("file", path("link").c_str()), 0);
    DIR* directory = ::opendir(path("").c_str());
    ASSERT_NE(directory, nullptr);
    int count = 0;
    while (const dirent* entry = ::readdir(directory)) {
        std::string name = entry->d_name;
        if (name[0] == '.') continue;
        ++count;
        int type = name == "file" ? DT_REG : name == "link" ? DT_LNK : DT_DIR;
        EXPECT_EQ(entry->d_type, type) << name;
        if (name == "link") continue;
        EXPECT_EQ(entry->d_ino, inode_of(path(name))) << name;
    }
    ::closedir(directory);
    EXPECT_EQ(count, 3);
}

TEST_F(FuseDirectories, LinesAreDirectoriesOfTheMount) {
    LineId child = fork(line_);
    EXPECT_EQ(names_in(mount_directory()),
              (std::vector<std::string>{to_string(line_), to_string(child)}));
    // The kernel itself keeps an ordinary user from writing to the mount's root.
    const int refused = ::geteuid() == 0 ? EPERM : EACCES;
    EXPECT_EQ(errno_from([&] { return ::mkdir(line_directory(LineId{77}).c_str(), 0700); }),
              refused);
    EXPECT_EQ(errno_from([&] { return ::rmdir(line_directory(child).c_str()); }), refused);
    EXPECT_EQ(errno_from([&] { return ::chmod(mount_directory().c_str(), 0700); }), EPERM);
    for (std::string name : {"0", "01", "+1", "1x", "x", "99999999", "18446744073709551616"}) {
        EXPECT_EQ(
            errno_from([&] { return ::access((mount_directory() + "/" + name).c_str(), F_OK); }),
            ENOENT)
            << name;
    }
}

TEST_F(FuseDirectories, ANewLineIsSeenThoughItsNameWasAbsentBefore) {
    std::string next = line_directory(LineId{line_.value() + 1});
    EXPECT_NE(::access(next.c_str(), F_OK), 0);
    LineId child = fork(line_);
    ASSERT_EQ(line_directory(child), next);
    EXPECT_EQ(::access(next.c_str(), F_OK), 0);
}

// PostgreSQL takes (device, inode) of its data directory as the identity of its shared memory.
TEST_F(FuseDirectories, ForksShareContentsButNotInodeNumbers) {
    write_file(path("file"), "parent");
    LineId child = fork(line_);
    std::string child_file = line_directory(child) + "/file";
    EXPECT_EQ(read_file(child_file), "parent");
    EXPECT_NE(inode_of(line_directory(child)), inode_of(line_directory(line_)));
    EXPECT_NE(inode_of(child_file), inode_of(path("file")));
    write_file(child_file, "child");
    EXPECT_EQ(read_file(path("file")), "parent");
    EXPECT_EQ(read_file(child_file), "child");
    EXPECT_EQ(errno_from([&] { return ::rename(child_file.c_str(), path("file").c_str()); }),
              EXDEV);
    EXPECT_EQ(errno_from([&] { return ::link(child_file.c_str(), path("other").c_str()); }), EXDEV);
}

TEST_F(FuseDirectories, ADeletedLineIsForgotten) {
    write_file(path("file"), "x");
    LineId child = fork(line_);
    std::string child_file = line_directory(child) + "/file";
    EXPECT_EQ(read_file(child_file), "x");
    OpenFile open_file(child_file, O_RDWR);
    LB_MUST(store_->commit({.remove = {child}}));
    transport_->forget_line(child);
    EXPECT_EQ(errno_from([&] { return ::access(line_directory(child).c_str(), F_OK); }), ENOENT);
    EXPECT_EQ(errno_from([&] { return ::access(child_file.c_str(), F_OK); }), ENOENT);
    EXPECT_NE(errno_from([&] { return ::pwrite(open_file.number(), "y", 1, 0); }), 0);
    EXPECT_EQ(read_file(path("file")), "x");
    transport_->forget_line(LineId{12'345});  // never seen: harmless
}

}  // namespace
}  // namespace lb::store
