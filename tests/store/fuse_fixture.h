// MountedStore: a real store behind a real mount in a temporary directory, with one line.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/fuse_transport.h"
#include "store/store.h"

namespace lb::store {

// A directory that is removed with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// Why FUSE cannot be tested here; empty if it can.
std::string reason_to_skip_fuse();

class MountedStore : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    void open_store();
    void mount(FuseCache cache = FuseCache::kKernel);
    std::string mount_directory() const { return temporary_.path() + "/mnt"; }
    std::string store_directory() const { return temporary_.path() + "/store"; }
    std::string line_directory(LineId line) const {
        return mount_directory() + "/" + to_string(line);
    }
    // A path inside the first line.
    std::string path(const std::string& name) const { return line_directory(line_) + "/" + name; }
    LineId fork(LineId parent);

    TemporaryDirectory temporary_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<FuseTransport> transport_;
    LineId line_;
};

// Small file helpers; failures are test failures.
void write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);
// errno of a call that must fail; 0 if it did not.
template <class Call>
int errno_from(Call call) {
    errno = 0;
    return call() < 0 ? errno : 0;
}

// A file descriptor that is closed with the object.
class OpenFile {
public:
    OpenFile(const std::string& path, int flags, mode_t mode = 0600);
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

}  // namespace lb::store
