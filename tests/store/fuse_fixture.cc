#include "tests/store/fuse_fixture.h"

#include <fcntl.h>

#include <cstdlib>
#include <fstream>

namespace lb::store {

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lb-fuse-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string reason_to_skip_fuse() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse cannot be opened here";
    return {};
}

void MountedStore::SetUp() {
    if (std::string reason = reason_to_skip_fuse(); !reason.empty()) GTEST_SKIP() << reason;
    open_store();
    line_ = store_->reserve_line();
    LB_MUST(store_->commit({.create = {{.line = line_}}}));
    mount();
}

void MountedStore::TearDown() {
    if (transport_) LB_MUST(transport_->unmount());
    transport_.reset();
    if (store_) LB_MUST(store_->close());
    store_.reset();
}

void MountedStore::open_store() {
    store_ = LB_MUST(Store::open({.directory = store_directory(), .segment_bytes = 4 << 20}));
}

void MountedStore::mount(FuseCache cache) {
    transport_ = LB_MUST(FuseTransport::mount(*store_, {.mount_directory = mount_directory(),
                                                        .uid = ::getuid(),
                                                        .gid = ::getgid(),
                                                        .cache = cache}));
}

LineId MountedStore::fork(LineId parent) {
    LineId line = store_->reserve_line();
    LB_MUST(store_->commit({.create = {{.line = line, .parent = parent}}}));
    return line;
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    ASSERT_TRUE(file.good()) << path;
}

std::string read_file(const std::string& path) {
    OpenFile file(path, O_RDONLY);
    std::string text;
    std::string buffer(size_t{1} << 20, '\0');
    for (ssize_t count; (count = ::read(file.number(), buffer.data(), buffer.size())) > 0;) {
        text.append(buffer, 0, static_cast<size_t>(count));
    }
    return text;
}

OpenFile::OpenFile(const std::string& path, int flags, mode_t mode)
    : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    EXPECT_GE(number_, 0) << path << ": " << std::strerror(errno);
}

OpenFile::~OpenFile() {
    if (number_ >= 0) ::close(number_);
}

}  // namespace lb::store
