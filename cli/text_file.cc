#include "cli/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "base/text.h"

namespace lb::cli {
namespace {

constexpr size_t kChunkBytes = 64 << 10;
constexpr std::chrono::milliseconds kFollowInterval{100};

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) close(value_);
    }
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    int value() const { return value_; }

private:
    int value_;
};

Error cannot_read(const std::string& path) {
    return system_error(ErrorCode::kIo, cat("cannot read ", quoted(path)), errno);
}

Result<Descriptor> open_file(const std::string& path) {
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.value() < 0) return cannot_read(path);
    struct stat attributes {};
    if (fstat(file.value(), &attributes) != 0) return cannot_read(path);
    if (S_ISDIR(attributes.st_mode)) {
        errno = EISDIR;
        return cannot_read(path);
    }
    return file;
}

// At most `max_bytes` bytes from `offset`; fewer at the end of the file.
Result<std::string> read_at(const Descriptor& file, const std::string& path, uint64_t offset,
                            size_t max_bytes) {
    std::string text(max_bytes, '\0');
    size_t length = 0;
    while (length < max_bytes) {
        ssize_t count = pread(file.value(), text.data() + length, max_bytes - length,
                              static_cast<off_t>(offset + length));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot_read(path);
        if (count == 0) break;
        length += static_cast<size_t>(count);
    }
    text.resize(length);
    return text;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, size_t max_bytes) {
    Descriptor file = LB_TRY(open_file(path));
    std::string text;
    while (true) {  // not pread(): the file may be a pipe, "lb plan --spec /dev/stdin"
        char chunk[4096];
        ssize_t count = read(file.value(), chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot_read(path);
        if (count == 0) return text;
        text.append(chunk, static_cast<size_t>(count));
        if (text.size() > max_bytes) {
            return Error{.code = ErrorCode::kUsage,
                         .message = cat(quoted(path), " is larger than ", format_bytes(max_bytes))};
        }
    }
}

Result<FileTail> last_lines(const std::string& path, size_t count) {
    Descriptor file = LB_TRY(open_file(path));
    off_t end = lseek(file.value(), 0, SEEK_END);
    if (end < 0) return cannot_read(path);
    auto start = static_cast<uint64_t>(end);
    FileTail tail{.text = {}, .end_offset = start};
    std::string& text = tail.text;
    while (start > 0 && count > 0) {
        uint64_t size = std::min<uint64_t>(start, kChunkBytes);
        start -= size;
        text.insert(0, LB_TRY(read_at(file, path, start, size)));
        // The newline that ends the last line does not begin another one.
        size_t newlines = 0;
        for (size_t index = text.size(); index > 1; --index) {
            if (text[index - 2] == '\n' && ++newlines == count) {
                text.erase(0, index - 1);
                return tail;
            }
        }
    }
    return tail;
}

Status follow_file(const std::string& path, uint64_t offset,
                   const std::function<Status(std::string_view)>& sink,
                   const std::function<bool()>& is_cancelled) {
    while (!is_cancelled()) {
        // Opened anew each time: a log may be replaced.
        Descriptor file = LB_TRY(open_file(path));
        off_t end = lseek(file.value(), 0, SEEK_END);
        if (end < 0) return cannot_read(path);
        if (static_cast<uint64_t>(end) < offset) offset = 0;
        std::string text = LB_TRY(read_at(file, path, offset, kChunkBytes));
        offset += text.size();
        if (!text.empty()) {
            LB_TRY(sink(text));
        } else {
            std::this_thread::sleep_for(kFollowInterval);
        }
    }
    return ok();
}

}  // namespace lb::cli
