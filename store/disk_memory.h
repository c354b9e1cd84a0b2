// MemoryDisk: a Disk that forgets. It keeps apart what was written from what was synced, so that
// tests can cut the power, and it can fail any call. Deterministic: the same calls with the same
// seeds give the same bytes.
//
// A power cut keeps what was synced. Each write since then is kept whole, or not at all, or torn at
// sectors of 512 bytes; each directory change (create, rename, remove) since the last
// sync_directory() is kept or not. A failed sync() makes its writes fall out of the cache's list of
// what has to be stored: they stay readable, and a later sync() does not store them (as Linux
// does).
//
// Thread-safe. Renames are within one directory.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>

#include "store/disk.h"

namespace lb::store {

// Bytes of a file, without those that were never written.
class SparseBytes {
public:
    uint64_t size() const { return size_; }
    void resize(uint64_t size);
    void write(uint64_t offset, ByteView bytes);  // grows
    void read(uint64_t offset, std::span<std::byte> out) const;

private:
    static constexpr uint64_t kChunkBytes = uint64_t{64} << 10;

    uint64_t size_ = 0;
    std::map<uint64_t, Bytes> chunks_;  // by offset / kChunkBytes
};

class SteppingClock;

enum class FaultMode { kOnce, kFromThenOn };

class MemoryDisk final : public Disk {
public:
    explicit MemoryDisk(uint64_t seed = 0);
    ~MemoryDisk() override;

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Status create_directory(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Result<bool> exists(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Result<uint64_t> free_bytes(const std::string& path) override;
    // Moves on by a microsecond with each look.
    Clock& clock() override;

    // -- Hooks for tests -------------------------------------------------------------------------

    // `call_count` more calls work, the next one fails with `error`. A write that fails may have
    // written some of its bytes.
    void fail_after(uint64_t call_count, Error error, FaultMode mode);
    void stop_failing();
    // Calls of this and of its files so far.
    uint64_t call_count() const;
    // Cuts the power. Open files are dead afterwards: their calls return kIo. Faults are switched
    // off.
    void crash(uint64_t seed);
    void set_capacity_bytes(uint64_t capacity_bytes);
    uint64_t used_bytes() const;
    void advance_clock(std::chrono::nanoseconds time);
    uint64_t sync_count() const;

private:
    friend class MemoryFile;

    // A change of a file that is not durable yet: bytes at an offset, or a new size.
    struct Change {
        uint64_t offset = 0;
        Bytes bytes = {};
        bool is_resize = false;
        uint64_t size_bytes = 0;
    };
    struct Node {
        bool is_directory = false;
        SparseBytes current;
        SparseBytes durable;
        uint64_t reserved_bytes = 0;
        std::vector<Change> changes;
    };
    using Tree = std::map<std::string, std::shared_ptr<Node>>;
    struct TreeChange {
        std::string directory;
        std::string from;  // empty: `node` appears at `to`
        std::string to;    // empty: `from` disappears
        std::shared_ptr<Node> node;
    };

    // All with mutex_ held.
    Status begin_call();
    bool is_parent_there(const std::string& path) const;
    void change_tree(TreeChange change);
    static void apply(Tree& tree, const TreeChange& change);
    Status grow(Node& node, uint64_t size_bytes);
    uint64_t count_used_bytes() const;
    void write(Node& node, uint64_t offset, ByteView bytes);
    static void apply(SparseBytes& bytes, const Change& change);
    static void apply_torn(SparseBytes& bytes, const Change& change, std::mt19937_64& random);

    mutable std::mutex mutex_;
    Tree tree_;
    Tree durable_tree_;
    std::vector<TreeChange> tree_changes_;
    std::mt19937_64 random_;
    std::unique_ptr<SteppingClock> clock_;
    uint64_t capacity_bytes_ = UINT64_MAX;
    uint64_t call_count_ = 0;
    uint64_t sync_count_ = 0;
    uint64_t power_cycle_ = 0;  // files of an earlier one are dead
    bool is_failing_ = false;
    uint64_t fail_at_ = 0;
    FaultMode fault_mode_ = FaultMode::kOnce;
    Error fault_;
};

}  // namespace lb::store
