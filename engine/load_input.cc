#include "engine/load_input.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kStartBytes = 256 * 1024;
constexpr size_t kChunkBytes = 64 * 1024;
constexpr size_t kTarMagicOffset = 257;

struct Foreign {
    std::string_view magic;
    const char* what;
    const char* help;
};
using namespace std::string_view_literals;
constexpr Foreign kForeign[] = {
    {"\x1f\x8b"sv, "compressed with gzip", "gunzip -c FILE | lb load -"},
    {"BZh"sv, "compressed with bzip2", "bzip2 -dc FILE | lb load -"},
    {"\xfd\x37zXZ\0"sv, "compressed with xz", "xz -dc FILE | lb load -"},
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd", "zstd -dc FILE | lb load -"},
    {"PK\x03\x04"sv, "a zip archive", "unzip -p FILE | lb load -"},
    {"\xff\xfe"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE | lb load -"},
    {"\xfe\xff"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 FILE | lb load -"},
    {"SQLite format 3\0"sv, "an SQLite database", "convert it to PostgreSQL's SQL first"},
};

Error load_failed(std::string message, std::string help) {
    return Error{
        .code = ErrorCode::kLoadFailed, .message = std::move(message), .help = std::move(help)};
}

Result<std::string> read_some(int descriptor, size_t count, const std::string& name) {
    std::string chunk(count, '\0');
    ssize_t got = -1;
    do {
        got = ::read(descriptor, chunk.data(), chunk.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return system_error(ErrorCode::kIo, cat("cannot read ", name), errno);
    chunk.resize(static_cast<size_t>(got));
    return chunk;
}

}  // namespace

Result<LoadFormat> recognise(std::string_view start, const std::string& name) {
    if (start.empty()) return load_failed(cat(name, " is empty"), "see whether pg_dump failed");
    for (const Foreign& foreign : kForeign) {
        if (start.starts_with(foreign.magic)) {
            return load_failed(cat(name, " is ", foreign.what), foreign.help);
        }
    }
    if (start.starts_with("PGDMP")) return LoadFormat::kArchive;
    if (start.size() > kTarMagicOffset && start.substr(kTarMagicOffset).starts_with("ustar")) {
        if (start.starts_with(std::string_view("toc.dat\0", 8))) return LoadFormat::kArchive;
        return load_failed(cat(name, " is a tar file, but none of pg_dump"),
                           "unpack it and load what is in it");
    }
    if (start.find('\0') != std::string_view::npos) {
        return load_failed(cat(name, " is neither SQL nor an archive of pg_dump"),
                           "make it with pg_dump, or pg_dump -Fc");
    }
    return LoadFormat::kScript;
}

Result<LoadInput> LoadInput::open(const std::string& file) {
    LoadInput input;
    input.name_ = file == "-" ? "standard input" : file;
    LB_TRY(input.open_file(file));
    if (input.format_ == LoadFormat::kArchiveDirectory) return input;
    LB_TRY(input.read_start());
    input.format_ = LB_TRY(recognise(input.start_, input.name_));
    return input;
}

Status LoadInput::open_file(const std::string& file) {
    descriptor_ = Descriptor(file == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                         : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!descriptor_.is_open() || ::fstat(descriptor_.get(), &status) != 0) {
        ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
        return system_error(code, cat("cannot open ", name_), errno);
    }
    if (S_ISDIR(status.st_mode)) {
        if (::faccessat(descriptor_.get(), "toc.dat", R_OK, 0) != 0) {
            return load_failed(cat(name_, " is a directory, but no archive of pg_dump -Fd"),
                               "name a file");
        }
        format_ = LoadFormat::kArchiveDirectory;
        return ok();
    }
    is_regular_file_ = S_ISREG(status.st_mode) && file != "-";
    if (S_ISREG(status.st_mode)) size_bytes_ = static_cast<uint64_t>(status.st_size);
    return ok();
}

Status LoadInput::read_start() {
    while (start_.size() < kStartBytes) {
        std::string chunk =
            LB_TRY(read_some(descriptor_.get(), kStartBytes - start_.size(), name_));
        if (chunk.empty()) break;
        start_ += chunk;
    }
    return ok();
}

Result<std::string> LoadInput::read() {
    std::string chunk;
    if (!is_start_given_) {
        chunk = start_;
        is_start_given_ = true;
    } else {
        chunk = LB_TRY(read_some(descriptor_.get(), kChunkBytes, name_));
    }
    read_bytes_ += chunk.size();
    return chunk;
}

Result<int> LoadInput::rewound_descriptor() {
    LB_ASSERT(is_regular_file_);
    if (::lseek(descriptor_.get(), 0, SEEK_SET) != 0) {
        return system_error(ErrorCode::kIo, cat("cannot read ", name_, " from its start"), errno);
    }
    return descriptor_.get();
}

uint64_t LoadInput::shared_offset_bytes() const {
    off_t offset = ::lseek(descriptor_.get(), 0, SEEK_CUR);
    return offset < 0 ? 0 : static_cast<uint64_t>(offset);
}

}  // namespace lb::engine
