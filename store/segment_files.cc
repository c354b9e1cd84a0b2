#include "store/segment_files.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace lb::store {

namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr size_t kNameDigits = 16;

}  // namespace

std::string segment_directory(const std::string& store_directory) {
    return store_directory + "/seg";
}

std::string cold_directory(const std::string& store_directory) { return store_directory + "/cold"; }

std::string segment_path(const std::string& store_directory, SegmentId segment) {
    char digits[kNameDigits];
    auto [end, failure] = std::to_chars(digits, digits + kNameDigits, segment.value(), 16);
    LB_ASSERT(failure == std::errc{});
    std::string_view text(digits, static_cast<size_t>(end - digits));
    std::string directory =
        is_cold(segment) ? cold_directory(store_directory) : segment_directory(store_directory);
    return cat(directory, "/", std::string(kNameDigits - text.size(), '0'), text, kSuffix);
}

std::optional<SegmentId> segment_from_name(std::string_view name) {
    if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return {};
    std::string_view digits = name.substr(0, kNameDigits);
    if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return {};
    uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return SegmentId{value};
}

Result<std::shared_ptr<File>> SegmentFiles::get(SegmentId segment) {
    {
        std::lock_guard lock(mutex_);
        auto found = open_files_.find(segment);
        if (found != open_files_.end()) {
            found->second.last_use = ++use_count_;
            return found->second.file;
        }
    }
    auto opened = disk_.open(segment_path(store_directory_, segment), OpenMode::kRead);
    if (!opened) {
        if (opened.error().code != ErrorCode::kStoreNotFound) return std::move(opened).error();
        return Error{.code = ErrorCode::kStoreDamaged,
                     .message = cat("segment ", segment.value(), " is missing")};
    }
    std::shared_ptr<File> file = std::move(opened).value();
    std::lock_guard lock(mutex_);
    insert(segment, file);
    return file;
}

void SegmentFiles::put(SegmentId segment, std::shared_ptr<File> file) {
    std::lock_guard lock(mutex_);
    insert(segment, std::move(file));
}

void SegmentFiles::insert(SegmentId segment, std::shared_ptr<File> file) {
    if (open_files_.size() >= open_files_max_ && !open_files_.contains(segment)) {
        auto oldest = std::ranges::min_element(
            open_files_, {}, [](const auto& entry) { return entry.second.last_use; });
        open_files_.erase(oldest);
    }
    open_files_.insert_or_assign(segment, Entry{std::move(file), ++use_count_});
}

}  // namespace lb::store
