#include "store/disk_memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/text.h"

namespace lb::store {

namespace {

constexpr uint64_t kSectorBytes = 512;

Error not_found(const std::string& path) {
    return system_error(ErrorCode::kStoreNotFound, cat("cannot find ", quoted(path)), ENOENT);
}

Error io_error(const std::string& path, int number) {
    return system_error(ErrorCode::kIo, cat("cannot use ", quoted(path)), number);
}

// "" is the root, which is always there; so are "." and "/".
std::string parent_of(const std::string& path) {
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_root(const std::string& path) { return path.empty() || path == "." || path == "/"; }

}  // namespace

// ---- SparseBytes -------------------------------------------------------------------------------

void SparseBytes::resize(uint64_t size) {
    if (size < size_) {
        chunks_.erase(chunks_.lower_bound((size + kChunkBytes - 1) / kChunkBytes), chunks_.end());
        auto last = chunks_.find(size / kChunkBytes);
        if (last != chunks_.end()) {
            std::fill(last->second.begin() + static_cast<ptrdiff_t>(size % kChunkBytes),
                      last->second.end(), std::byte{0});
        }
    }
    size_ = size;
}

void SparseBytes::write(uint64_t offset, ByteView bytes) {
    size_ = std::max(size_, offset + bytes.size());
    while (!bytes.empty()) {
        Bytes& chunk = chunks_[offset / kChunkBytes];
        chunk.resize(kChunkBytes);
        uint64_t at = offset % kChunkBytes;
        ByteView piece = bytes.first(std::min<uint64_t>(bytes.size(), kChunkBytes - at));
        std::ranges::copy(piece, chunk.begin() + static_cast<ptrdiff_t>(at));
        offset += piece.size();
        bytes = bytes.subspan(piece.size());
    }
}

void SparseBytes::read(uint64_t offset, std::span<std::byte> out) const {
    LB_ASSERT(offset + out.size() <= size_);
    while (!out.empty()) {
        uint64_t at = offset % kChunkBytes;
        size_t count = std::min<uint64_t>(out.size(), kChunkBytes - at);
        auto chunk = chunks_.find(offset / kChunkBytes);
        if (chunk == chunks_.end()) {
            std::ranges::fill(out.first(count), std::byte{0});
        } else {
            std::ranges::copy(ByteView(chunk->second).subspan(at, count), out.begin());
        }
        offset += count;
        out = out.subspan(count);
    }
}

// ---- Files -------------------------------------------------------------------------------------

class MemoryFile final : public File {
public:
    MemoryFile(MemoryDisk& disk, std::shared_ptr<MemoryDisk::Node> node, std::string path,
               bool is_writable)
        : disk_(disk),
          node_(std::move(node)),
          path_(std::move(path)),
          power_cycle_(disk.power_cycle_),
          is_writable_(is_writable) {}

    Status write_at(uint64_t offset, std::span<const ByteView> pieces) override;
    Status read_at(uint64_t offset, std::span<std::byte> out) override;
    Result<uint64_t> size_bytes() override;
    Status allocate(uint64_t size_bytes) override;
    Status truncate(uint64_t size_bytes) override;
    Status sync() override;

private:
    enum class Access { kRead, kWrite };

    Status begin_call(Access access) {
        if (power_cycle_ != disk_.power_cycle_) return io_error(path_, EIO);
        LB_ASSERT(is_writable_ || access == Access::kRead);
        return disk_.begin_call();
    }

    MemoryDisk& disk_;
    const std::shared_ptr<MemoryDisk::Node> node_;
    const std::string path_;
    const uint64_t power_cycle_;
    const bool is_writable_;
};

Status MemoryFile::write_at(uint64_t offset, std::span<const ByteView> pieces) {
    Bytes bytes;
    for (ByteView piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
    std::lock_guard lock(disk_.mutex_);
    Status begun = begin_call(Access::kWrite);
    if (!begun) {
        if (power_cycle_ == disk_.power_cycle_ && !bytes.empty()) {
            disk_.write(*node_, offset, ByteView(bytes).first(disk_.random_() % bytes.size()));
        }
        return begun;
    }
    LB_TRY(disk_.grow(*node_, offset + bytes.size()));
    disk_.write(*node_, offset, bytes);
    return ok();
}

Status MemoryFile::read_at(uint64_t offset, std::span<std::byte> out) {
    std::lock_guard lock(disk_.mutex_);
    LB_TRY(begin_call(Access::kRead));
    if (offset + out.size() > node_->current.size()) {
        return Error{.code = ErrorCode::kIo,
                     .message = cat("cannot read ", quoted(path_), ": past the end of the file")};
    }
    node_->current.read(offset, out);
    return ok();
}

Result<uint64_t> MemoryFile::size_bytes() {
    std::lock_guard lock(disk_.mutex_);
    LB_TRY(begin_call(Access::kRead));
    return node_->current.size();
}

Status MemoryFile::allocate(uint64_t size_bytes) {
    std::lock_guard lock(disk_.mutex_);
    LB_TRY(begin_call(Access::kWrite));
    LB_TRY(disk_.grow(*node_, size_bytes));
    uint64_t new_size_bytes = std::max(node_->current.size(), size_bytes);
    node_->current.resize(new_size_bytes);
    node_->changes.push_back({.is_resize = true, .size_bytes = new_size_bytes});
    return ok();
}

Status MemoryFile::truncate(uint64_t size_bytes) {
    std::lock_guard lock(disk_.mutex_);
    LB_TRY(begin_call(Access::kWrite));
    LB_TRY(disk_.grow(*node_, size_bytes));
    node_->reserved_bytes = size_bytes;
    node_->current.resize(size_bytes);
    node_->changes.push_back({.is_resize = true, .size_bytes = size_bytes});
    return ok();
}

Status MemoryFile::sync() {
    std::lock_guard lock(disk_.mutex_);
    ++disk_.sync_count_;
    Status begun = begin_call(Access::kRead);
    if (power_cycle_ != disk_.power_cycle_) return begun;
    for (const MemoryDisk::Change& change : node_->changes) {
        if (begun || disk_.random_() % 2 == 0) MemoryDisk::apply(node_->durable, change);
    }
    node_->changes.clear();
    return begun;
}

class SteppingClock final : public Clock {
public:
    WallTime now() override {
        return WallTime{std::chrono::nanoseconds{time_ns_.fetch_add(1000) + 1000}};
    }
    void advance(std::chrono::nanoseconds time) { time_ns_ += time.count(); }

private:
    std::atomic<int64_t> time_ns_ = int64_t{1767225600} * 1'000'000'000;  // 2026-01-01
};

// ---- Disk --------------------------------------------------------------------------------------

MemoryDisk::MemoryDisk(uint64_t seed) : random_(seed), clock_(std::make_unique<SteppingClock>()) {}

MemoryDisk::~MemoryDisk() = default;

Clock& MemoryDisk::clock() { return *clock_; }

void MemoryDisk::advance_clock(std::chrono::nanoseconds time) { clock_->advance(time); }

Status MemoryDisk::begin_call() {
    uint64_t call = call_count_++;
    if (!is_failing_ || call < fail_at_) return ok();
    if (fault_mode_ == FaultMode::kOnce) is_failing_ = false;
    return fault_;
}

bool MemoryDisk::is_parent_there(const std::string& path) const {
    std::string parent = parent_of(path);
    auto found = tree_.find(parent);
    return is_root(parent) || (found != tree_.end() && found->second->is_directory);
}

void MemoryDisk::change_tree(TreeChange change) {
    change.directory = parent_of(change.to.empty() ? change.from : change.to);
    apply(tree_, change);
    tree_changes_.push_back(std::move(change));
}

void MemoryDisk::apply(Tree& tree, const TreeChange& change) {
    if (!change.from.empty() && tree.erase(change.from) == 0) return;
    if (!change.to.empty()) tree[change.to] = change.node;
}

uint64_t MemoryDisk::count_used_bytes() const {
    uint64_t used_bytes = 0;
    for (const auto& [path, node] : tree_) {
        used_bytes += std::max(node->current.size(), node->reserved_bytes);
    }
    return used_bytes;
}

// Reserves space up to `size_bytes`.
Status MemoryDisk::grow(Node& node, uint64_t size_bytes) {
    uint64_t present_bytes = std::max(node.current.size(), node.reserved_bytes);
    if (size_bytes <= present_bytes) return ok();
    if (capacity_bytes_ != UINT64_MAX &&
        count_used_bytes() + (size_bytes - present_bytes) > capacity_bytes_) {
        return system_error(ErrorCode::kStoreFull, "cannot write", ENOSPC);
    }
    node.reserved_bytes = size_bytes;
    return ok();
}

void MemoryDisk::write(Node& node, uint64_t offset, ByteView bytes) {
    if (bytes.empty()) return;
    node.current.write(offset, bytes);
    node.changes.push_back({.offset = offset, .bytes = Bytes(bytes.begin(), bytes.end())});
}

void MemoryDisk::apply(SparseBytes& bytes, const Change& change) {
    if (change.is_resize) {
        bytes.resize(change.size_bytes);
    } else {
        bytes.write(change.offset, change.bytes);
    }
}

// Keeps some of the sectors.
void MemoryDisk::apply_torn(SparseBytes& bytes, const Change& change, std::mt19937_64& random) {
    ByteView rest = change.bytes;
    uint64_t offset = change.offset;
    while (!rest.empty()) {
        uint64_t sector_left = kSectorBytes - offset % kSectorBytes;
        ByteView piece = rest.first(std::min<uint64_t>(rest.size(), sector_left));
        if (random() % 2 == 0) bytes.write(offset, piece);
        offset += piece.size();
        rest = rest.subspan(piece.size());
    }
}

Result<std::unique_ptr<File>> MemoryDisk::open(const std::string& path, OpenMode mode) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    auto found = tree_.find(path);
    std::shared_ptr<Node> node = found == tree_.end() ? nullptr : found->second;
    if (node && node->is_directory) return io_error(path, EISDIR);
    if (mode == OpenMode::kCreate) {
        if (node) return io_error(path, EEXIST);
        if (!is_parent_there(path)) return not_found(path);
        node = std::make_shared<Node>();
        change_tree({.directory = {}, .from = {}, .to = path, .node = node});
    }
    if (!node) return not_found(path);
    return std::unique_ptr<File>(
        std::make_unique<MemoryFile>(*this, std::move(node), path, mode != OpenMode::kRead));
}

Status MemoryDisk::create_directory(const std::string& path) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    auto found = tree_.find(path);
    if (found != tree_.end()) {
        return found->second->is_directory ? ok() : Status(io_error(path, ENOTDIR));
    }
    if (is_root(path)) return ok();
    if (!is_parent_there(path)) return not_found(path);
    auto node = std::make_shared<Node>();
    node->is_directory = true;
    change_tree({.directory = {}, .from = {}, .to = path, .node = std::move(node)});
    return ok();
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& directory) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    if (!is_parent_there(directory + "/")) return not_found(directory);
    std::vector<std::string> names;
    for (const auto& [path, node] : tree_) {
        if (parent_of(path) == directory) names.push_back(name_of(path));
    }
    return names;
}

Result<bool> MemoryDisk::exists(const std::string& path) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    return is_root(path) || tree_.contains(path);
}

Status MemoryDisk::rename(const std::string& from, const std::string& to) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    LB_ASSERT(parent_of(from) == parent_of(to));
    auto found = tree_.find(from);
    if (found == tree_.end()) return not_found(from);
    if (from == to) return ok();
    std::shared_ptr<Node> node = found->second;
    change_tree({.directory = {}, .from = from, .to = to, .node = std::move(node)});
    return ok();
}

Status MemoryDisk::remove(const std::string& path) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    auto found = tree_.find(path);
    if (found == tree_.end()) return not_found(path);
    bool is_in_use = std::ranges::any_of(
        tree_, [&](const auto& entry) { return parent_of(entry.first) == path; });
    if (is_in_use) return io_error(path, ENOTEMPTY);
    change_tree({.directory = {}, .from = path, .to = {}, .node = {}});
    return ok();
}

Status MemoryDisk::sync_directory(const std::string& path) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    if (!is_parent_there(path + "/")) return not_found(path);
    std::string directory = is_root(path) ? "" : path;
    std::erase_if(tree_changes_, [&](const TreeChange& change) {
        if (change.directory != directory) return false;
        apply(durable_tree_, change);
        return true;
    });
    return ok();
}

Result<uint64_t> MemoryDisk::free_bytes(const std::string& path) {
    std::lock_guard lock(mutex_);
    LB_TRY(begin_call());
    if (!is_parent_there(path + "/")) return not_found(path);
    uint64_t used_bytes = count_used_bytes();
    return used_bytes >= capacity_bytes_ ? 0 : capacity_bytes_ - used_bytes;
}

// ---- Hooks -------------------------------------------------------------------------------------

void MemoryDisk::fail_after(uint64_t call_count, Error error, FaultMode mode) {
    std::lock_guard lock(mutex_);
    is_failing_ = true;
    fail_at_ = call_count_ + call_count;
    fault_ = std::move(error);
    fault_mode_ = mode;
}

void MemoryDisk::stop_failing() {
    std::lock_guard lock(mutex_);
    is_failing_ = false;
}

uint64_t MemoryDisk::call_count() const {
    std::lock_guard lock(mutex_);
    return call_count_;
}

uint64_t MemoryDisk::sync_count() const {
    std::lock_guard lock(mutex_);
    return sync_count_;
}

void MemoryDisk::set_capacity_bytes(uint64_t capacity_bytes) {
    std::lock_guard lock(mutex_);
    capacity_bytes_ = capacity_bytes;
}

uint64_t MemoryDisk::used_bytes() const {
    std::lock_guard lock(mutex_);
    return count_used_bytes();
}

void MemoryDisk::crash(uint64_t seed) {
    std::lock_guard lock(mutex_);
    std::mt19937_64 random(seed);
    ++power_cycle_;
    is_failing_ = false;
    // Directory changes: as a journal keeps them (all up to a point), or any of them.
    bool is_journal = random() % 2 == 0;
    uint64_t journal_left = tree_changes_.empty() ? 0 : random() % (tree_changes_.size() + 1);
    for (const TreeChange& change : tree_changes_) {
        bool is_kept = is_journal ? journal_left > 0 : random() % 2 == 0;
        if (journal_left > 0) --journal_left;
        if (is_kept) apply(durable_tree_, change);
    }
    tree_changes_.clear();
    // What lost its directory is gone; parents come before their children in the map.
    tree_.clear();
    for (const auto& [path, node] : durable_tree_) {
        if (is_parent_there(path)) tree_[path] = node;
    }
    durable_tree_ = tree_;
    for (const auto& [path, node] : tree_) {
        uint64_t style = random() % 4;  // whole power cuts that keep or lose everything happen too
        for (const Change& change : node->changes) {
            uint64_t choice = style == 0 ? 0 : style == 1 ? 1 : random() % 3;
            if (choice == 0) continue;
            if (choice == 1 || change.is_resize) {
                apply(node->durable, change);
            } else {
                apply_torn(node->durable, change, random);
            }
        }
        node->changes.clear();
        node->current = node->durable;
        node->reserved_bytes = node->current.size();
    }
}

}  // namespace lb::store
