// The Disk of the machine: plain system calls, retried after signals and short transfers.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "store/disk.h"

namespace lb::store {

namespace {

Error io_error(std::string_view what, std::string_view path) {
    int number = errno;
    ErrorCode code = ErrorCode::kIo;
    if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kStoreFull;
    if (number == ENOENT) code = ErrorCode::kStoreNotFound;
    Error error = system_error(code, cat("cannot ", what, " ", quoted(path)), number);
    if (code == ErrorCode::kStoreFull) error.help = "free space on the disk that holds the path";
    return error;
}

// Calls again after a signal.
template <class Call>
auto retry(Call call) {
    decltype(call()) result{};
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return result;
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

class PosixFile final : public File {
public:
    PosixFile(Descriptor descriptor, std::string path)
        : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

    Status write_at(uint64_t offset, std::span<const ByteView> pieces) override;
    Status read_at(uint64_t offset, std::span<std::byte> out) override;
    Result<uint64_t> size_bytes() override;
    Status allocate(uint64_t size_bytes) override;
    Status truncate(uint64_t size_bytes) override;
    Status sync() override;

private:
    Status write_vector(uint64_t& offset, std::span<iovec> vector);
    Status write_zeros(uint64_t offset, uint64_t end);

    Descriptor descriptor_;
    std::string path_;
};

Status PosixFile::write_at(uint64_t offset, std::span<const ByteView> pieces) {
    std::array<iovec, 256> vector;
    while (!pieces.empty()) {
        size_t count = std::min(pieces.size(), vector.size());
        for (size_t i = 0; i < count; ++i) {
            vector[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};
        }
        LB_TRY(write_vector(offset, std::span(vector).first(count)));
        pieces = pieces.subspan(count);
    }
    return ok();
}

// Writes all of `vector` and moves `offset` behind it.
Status PosixFile::write_vector(uint64_t& offset, std::span<iovec> vector) {
    while (!vector.empty()) {
        ssize_t written = retry([&] {
            return ::pwritev(descriptor_.number(), vector.data(), static_cast<int>(vector.size()),
                             static_cast<off_t>(offset));
        });
        if (written < 0) return io_error("write", path_);
        offset += static_cast<uint64_t>(written);
        auto left = static_cast<size_t>(written);
        while (!vector.empty() && left >= vector.front().iov_len) {
            left -= vector.front().iov_len;
            vector = vector.subspan(1);
        }
        if (!vector.empty()) {
            vector.front().iov_base = static_cast<std::byte*>(vector.front().iov_base) + left;
            vector.front().iov_len -= left;
        }
    }
    return ok();
}

Status PosixFile::read_at(uint64_t offset, std::span<std::byte> out) {
    while (!out.empty()) {
        ssize_t count = retry([&] {
            return ::pread(descriptor_.number(), out.data(), out.size(),
                           static_cast<off_t>(offset));
        });
        if (count < 0) return io_error("read", path_);
        if (count == 0) {
            return Error{.code = ErrorCode::kIo,
                         .message = cat("cannot read ", quoted(path_), " at ", offset,
                                        ": past the end of the file")};
        }
        offset += static_cast<uint64_t>(count);
        out = out.subspan(static_cast<size_t>(count));
    }
    return ok();
}

Result<uint64_t> PosixFile::size_bytes() {
    struct stat status {};
    if (::fstat(descriptor_.number(), &status) != 0) return io_error("examine", path_);
    return static_cast<uint64_t>(status.st_size);
}

Status PosixFile::allocate(uint64_t size_bytes) {
    int failed = retry(
        [&] { return ::fallocate(descriptor_.number(), 0, 0, static_cast<off_t>(size_bytes)); });
    if (failed == 0) return ok();
    if (errno != EOPNOTSUPP && errno != ENOSYS) return io_error("allocate space for", path_);
    uint64_t present_bytes = LB_TRY(this->size_bytes());
    return write_zeros(present_bytes, size_bytes);
}

// For file systems without fallocate.
Status PosixFile::write_zeros(uint64_t offset, uint64_t end) {
    static constexpr std::array<std::byte, 65536> kZeros{};
    while (offset < end) {
        ByteView piece = ByteView(kZeros).first(std::min<uint64_t>(kZeros.size(), end - offset));
        LB_TRY(write_at(offset, {&piece, 1}));
        offset += piece.size();
    }
    return ok();
}

Status PosixFile::truncate(uint64_t size_bytes) {
    int failed =
        retry([&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size_bytes)); });
    return failed == 0 ? ok() : io_error("truncate", path_);
}

Status PosixFile::sync() {
    // Not retried after a signal either: a second call could hide what the first one lost.
    return ::fdatasync(descriptor_.number()) == 0 ? ok() : io_error("sync", path_);
}

class PosixDisk final : public Disk {
public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Status create_directory(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Result<bool> exists(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Result<uint64_t> free_bytes(const std::string& path) override;
    Clock& clock() override { return system_clock(); }
};

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case OpenMode::kRead: flags |= O_RDONLY; break;
        case OpenMode::kReadWrite: flags |= O_RDWR; break;
        case OpenMode::kCreate: flags |= O_RDWR | O_CREAT | O_EXCL; break;
    }
    Descriptor descriptor(retry([&] { return ::open(path.c_str(), flags, 0600); }));
    if (descriptor.number() < 0) return io_error("open", path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(descriptor), path));
}

Status PosixDisk::create_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0) return ok();
    if (errno != EEXIST) return io_error("create directory", path);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return io_error("examine", path);
    if (S_ISDIR(status.st_mode)) return ok();
    errno = ENOTDIR;
    return io_error("create directory", path);
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return io_error("list", directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
        std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    int read_errno = errno;
    ::closedir(stream);
    if (read_errno != 0) {
        errno = read_errno;
        return io_error("list", directory);
    }
    std::ranges::sort(names);
    return names;
}

Result<bool> PosixDisk::exists(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return io_error("examine", path);
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
    return ::rename(from.c_str(), to.c_str()) == 0 ? ok() : io_error("rename", from);
}

Status PosixDisk::remove(const std::string& path) {
    return ::remove(path.c_str()) == 0 ? ok() : io_error("remove", path);
}

Status PosixDisk::sync_directory(const std::string& path) {
    Descriptor descriptor(
        retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (descriptor.number() < 0) return io_error("open", path);
    // EINVAL: a file system that writes directories synchronously and has nothing to do here.
    if (::fsync(descriptor.number()) == 0 || errno == EINVAL) return ok();
    return io_error("sync", path);
}

Result<uint64_t> PosixDisk::free_bytes(const std::string& path) {
    struct statvfs status {};
    if (retry([&] { return ::statvfs(path.c_str(), &status); }) != 0) {
        return io_error("examine the file system of", path);
    }
    return uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace

Disk& posix_disk() {
    static PosixDisk disk;
    return disk;
}

}  // namespace lb::store
