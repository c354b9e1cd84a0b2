// The index on RocksDB. Its own write-ahead log is off: the segment log is the truth, and what
// RocksDB flushed is always a prefix of the batches, because there is one column family.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/text.h"
#include "store/disk.h"
#include "store/index.h"
#include "store/index_keys.h"

namespace lb::store {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDamagedMarker = "LB_DAMAGED";
constexpr size_t kWriteBufferBytes = size_t{16} << 20;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class KeyPrefix final : public rocksdb::SliceTransform {
public:
    // Part of the files' format: RocksDB ignores filters that another name wrote.
    const char* Name() const override { return "lb.index.1"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), index_prefix_bytes(view(key))};
    }
    bool InDomain(const rocksdb::Slice& key) const override {
        return index_prefix_bytes(view(key)) > 0;
    }
};

// The next open makes a new index.
void mark_as_damaged(const std::string& directory, const std::string& why) {
    std::ofstream(directory + "/" + kDamagedMarker) << why << '\n';
}

class FlushListener final : public rocksdb::EventListener {
public:
    explicit FlushListener(const RocksdbIndexOptions& options)
        : directory_(options.directory), before_flush_(options.before_flush) {}
    void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
        if (before_flush_ && !before_flush_()) mark_as_damaged(directory_, "ahead of the log");
    }

private:
    const std::string directory_;
    const std::function<bool()> before_flush_;
};

rocksdb::Options make_options(const RocksdbIndexOptions& options) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = false;
    table.block_size = 8192;
    table.format_version = 5;

    rocksdb::Options result;
    result.create_if_missing = true;
    result.prefix_extractor = std::make_shared<KeyPrefix>();
    result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    result.write_buffer_size = kWriteBufferBytes;
    result.max_write_buffer_number = 3;
    result.memtable_prefix_bloom_size_ratio = 0.1;
    result.compression = rocksdb::kLZ4Compression;
    result.level_compaction_dynamic_level_bytes = true;
    result.max_background_jobs = 2;
    result.max_open_files = 512;
    result.keep_log_file_num = 2;
    result.max_log_file_size = size_t{1} << 20;
    result.stats_dump_period_sec = 0;
    result.stats_persist_period_sec = 0;
    result.listeners.push_back(std::make_shared<FlushListener>(options));
    return result;
}

// A second process has it open, or the disk fails: nothing that an empty index would cure.
bool is_cured_by_rebuild(const rocksdb::Status& status) {
    return status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() ||
           status.IsPathNotFound() || status.IsNotSupported();
}

enum class Access { kReadWrite, kRead };

class RocksdbIndex final : public Index {
public:
    RocksdbIndex(RocksdbIndexOptions options, Access access, std::unique_ptr<rocksdb::DB> database)
        : options_(std::move(options)), access_(access), database_(std::move(database)) {}

    Status write(const IndexBatch& batch) override;
    std::unique_ptr<IndexCursor> cursor() override;
    Result<std::optional<std::string>> get(std::string_view key) override;
    Status verify() override;
    Status start_flush() override;
    Status flush() override;
    Status clear() override;
    Status close() override;

    Status check(const rocksdb::Status& status);

private:
    RocksdbIndexOptions options_;
    const Access access_;
    std::unique_ptr<rocksdb::DB> database_;
};

class RocksdbCursor final : public IndexCursor {
public:
    RocksdbCursor(RocksdbIndex& index, rocksdb::DB& database)
        : index_(index), database_(database) {}

    Result<bool> seek(std::string_view key) override {
        is_prefix_bound_ = index_prefix_bytes(key) > 0;
        std::unique_ptr<rocksdb::Iterator>& iterator = current();
        if (!iterator) {
            rocksdb::ReadOptions options;
            options.total_order_seek = !is_prefix_bound_;
            options.prefix_same_as_start = is_prefix_bound_;
            iterator.reset(database_.NewIterator(options));
        }
        iterator->Seek(slice(key));
        return is_valid();
    }
    Result<bool> next() override {
        current()->Next();
        return is_valid();
    }
    std::string_view key() const override { return view(current()->key()); }
    std::string_view value() const override { return view(current()->value()); }

private:
    const std::unique_ptr<rocksdb::Iterator>& current() const {
        return is_prefix_bound_ ? within_prefix_ : total_order_;
    }
    std::unique_ptr<rocksdb::Iterator>& current() {
        return is_prefix_bound_ ? within_prefix_ : total_order_;
    }
    Result<bool> is_valid() {
        if (current()->Valid()) return true;
        LB_TRY(index_.check(current()->status()));
        return false;
    }

    RocksdbIndex& index_;
    rocksdb::DB& database_;
    bool is_prefix_bound_ = false;
    std::unique_ptr<rocksdb::Iterator> within_prefix_;
    std::unique_ptr<rocksdb::Iterator> total_order_;
};

Status RocksdbIndex::check(const rocksdb::Status& status) {
    if (status.ok()) return ok();
    if (status.IsNoSpace()) {
        return Error{.code = ErrorCode::kStoreFull,
                     .message = "no space left for the store's index",
                     .help = "free disk space",
                     .notes = {status.ToString()}};
    }
    if (status.IsCorruption()) {
        if (access_ == Access::kReadWrite) mark_as_damaged(options_.directory, status.ToString());
        return Error{.code = ErrorCode::kStoreDamaged,
                     .message = "the store's index is damaged",
                     .help = "restart lb: it rebuilds the index from the log",
                     .notes = {status.ToString()}};
    }
    return Error{.code = ErrorCode::kIo,
                 .message = "the store's index failed",
                 .notes = {status.ToString()}};
}

struct BatchEntry {
    std::string_view key;
    std::string_view value;
    bool is_put;
};

// By key, and where keys are equal in the order of the batch. RocksDB finds the place of a key that
// follows the last one without a search.
std::vector<BatchEntry> sorted_entries(const IndexBatch& batch) {
    std::vector<BatchEntry> entries;
    entries.reserve(batch.entry_count());
    batch.for_each([&](std::string_view key, std::string_view value, bool is_put) {
        entries.push_back({key, value, is_put});
    });
    std::ranges::stable_sort(entries, {}, &BatchEntry::key);
    return entries;
}

Status RocksdbIndex::write(const IndexBatch& batch) {
    rocksdb::WriteBatch writes;
    for (const BatchEntry& entry : sorted_entries(batch)) {
        // Only fails when out of memory limits that are not set here.
        rocksdb::Status status = entry.is_put ? writes.Put(slice(entry.key), slice(entry.value))
                                              : writes.Delete(slice(entry.key));
        LB_ASSERT(status.ok());
    }
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    rocksdb::Status status = database_->Write(options, &writes);
    if (!status.ok() && database_->Resume().ok()) status = database_->Write(options, &writes);
    return check(status);
}

std::unique_ptr<IndexCursor> RocksdbIndex::cursor() {
    return std::make_unique<RocksdbCursor>(*this, *database_);
}

Result<std::optional<std::string>> RocksdbIndex::get(std::string_view key) {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    std::string value;
    rocksdb::Status status = database_->Get(options, slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    LB_TRY(check(status));
    return std::optional<std::string>(std::move(value));
}

Status RocksdbIndex::verify() { return check(database_->VerifyChecksum()); }

Status RocksdbIndex::start_flush() {
    rocksdb::FlushOptions options;
    options.wait = false;
    options.allow_write_stall = true;
    return check(database_->Flush(options));
}

Status RocksdbIndex::flush() { return check(database_->Flush(rocksdb::FlushOptions())); }

// Moves a directory out of the way durably before removing it, so that a power cut cannot bring
// back an index that does not belong to the log any more.
Status discard_directory(const std::string& directory) {
    std::error_code failure;
    std::string discarded = directory + ".discarded";
    fs::remove_all(discarded, failure);
    if (!failure && fs::exists(directory, failure)) fs::rename(directory, discarded, failure);
    if (failure) return system_error(ErrorCode::kIo, "cannot discard the index", failure.value());
    Disk& disk = posix_disk();
    LB_TRY(disk.sync_directory(fs::path(directory).parent_path().string()));
    fs::remove_all(discarded, failure);
    if (failure) return system_error(ErrorCode::kIo, "cannot discard the index", failure.value());
    return ok();
}

Result<std::unique_ptr<rocksdb::DB>> open_database(const RocksdbIndexOptions& options) {
    std::error_code failure;
    if (fs::exists(options.directory + "/" + kDamagedMarker, failure)) {
        LB_TRY(discard_directory(options.directory));
    }
    fs::create_directories(options.directory, failure);
    if (failure) {
        return system_error(ErrorCode::kIo, "cannot create " + options.directory, failure.value());
    }
    rocksdb::Options database_options = make_options(options);
    rocksdb::DB* database = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(database_options, options.directory, &database);
    if (!status.ok() && is_cured_by_rebuild(status)) {
        LB_TRY(discard_directory(options.directory));
        fs::create_directories(options.directory, failure);
        status = rocksdb::DB::Open(database_options, options.directory, &database);
    }
    if (!status.ok()) {
        return Error{.code = status.IsNoSpace() ? ErrorCode::kStoreFull : ErrorCode::kIo,
                     .message = cat("cannot open the index in ", options.directory),
                     .help = "check that the directory is writable and used by one lb only",
                     .notes = {status.ToString()}};
    }
    return std::unique_ptr<rocksdb::DB>(database);
}

Status RocksdbIndex::clear() {
    database_.reset();
    LB_TRY(discard_directory(options_.directory));
    database_ = LB_TRY(open_database(options_));
    return ok();
}

Status RocksdbIndex::close() {
    bool is_read_only = access_ == Access::kRead;
    rocksdb::Status flushed =
        is_read_only ? rocksdb::Status::OK() : database_->Flush(rocksdb::FlushOptions());
    rocksdb::Status closed = database_->Close();
    database_.reset();
    LB_TRY(check(flushed));
    return check(closed);
}

}  // namespace

Result<std::unique_ptr<Index>> open_rocksdb_index(RocksdbIndexOptions options) {
    std::unique_ptr<rocksdb::DB> database = LB_TRY(open_database(options));
    return std::unique_ptr<Index>(std::make_unique<RocksdbIndex>(
        std::move(options), Access::kReadWrite, std::move(database)));
}

Result<std::unique_ptr<Index>> open_rocksdb_index_to_read(const std::string& directory) {
    std::error_code failure;
    if (!fs::exists(directory + "/CURRENT", failure) ||
        fs::exists(directory + "/" + kDamagedMarker, failure)) {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("there is no index in ", directory)};
    }
    RocksdbIndexOptions options{.directory = directory, .before_flush = {}};
    rocksdb::Options database_options = make_options(options);
    database_options.create_if_missing = false;
    rocksdb::DB* database = nullptr;
    rocksdb::Status status = rocksdb::DB::OpenForReadOnly(database_options, directory, &database);
    if (!status.ok()) {
        ErrorCode code = is_cured_by_rebuild(status) ? ErrorCode::kStoreDamaged : ErrorCode::kIo;
        return Error{.code = code,
                     .message = cat("the index in ", directory, " cannot be opened"),
                     .notes = {status.ToString()}};
    }
    return std::unique_ptr<Index>(std::make_unique<RocksdbIndex>(
        std::move(options), Access::kRead, std::unique_ptr<rocksdb::DB>(database)));
}

}  // namespace lb::store
