// Runs random operations on a store and on its oracle (store_model.h) side by side. An operation is
// five numbers that are reduced to what is possible at that moment, so every part of a script is a
// script again, and RapidCheck can shrink it.
#pragma once

#include <rapidcheck.h>

#include <memory>
#include <string>
#include <vector>

#include "store/disk_memory.h"
#include "store/store.h"
#include "tests/store/store_model.h"

namespace lb::store {

enum class Action : uint8_t {
    kCreateFile,
    kCreateDirectory,
    kCreateSymlink,
    kWrite,
    kResize,
    kAllocate,
    kZero,
    kRemoveFile,
    kRemoveDirectory,
    kRename,
    kLink,
    kChangeMode,
    kForkHead,
    kForkPast,
    kDeleteLine,
    kNote,
    kRetain,
    kRelease,
    kSync,
    kReopen,
    kKill,
    kLoseIndex,
    kCutPower,
    kFaultyRestart,  // the disk fails while the store recovers, perhaps with a power cut on top
    kFillDisk,
    kMakeRoom,
    kSetWindows,
    kPassTime,
    kReclaim,
};

struct Step {
    Action action = Action::kWrite;
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
};
void showValue(const Step& step, std::ostream& out);

enum class WithPowerCuts { kNo, kYes };
// kReclaim: long scripts that write, let time pass and reclaim.
enum class Focus { kFiles, kReclaim };
rc::Gen<std::vector<Step>> script_generator(WithPowerCuts with_power_cuts,
                                            Focus focus = Focus::kFiles);

// Bytes that follow from the seed; zeros for every fifth.
std::string pattern(uint64_t seed, size_t size);

enum class IndexKind { kMemory, kRocksdb };
// kNone: every operation starts with nothing in memory.
enum class CacheKind { kDefault, kNone };

class ScriptRunner {
public:
    explicit ScriptRunner(IndexKind index, CacheKind cache = CacheKind::kDefault);
    ~ScriptRunner();

    // Fails the RapidCheck property on the first difference.
    void run(const std::vector<Step>& script);
    void verify_all();

private:
    using Expected = std::set<ErrorCode>;  // empty: success
    struct OpenFile {
        LineId line;
        uint64_t inode;
    };

    void run_step(const Step& step);
    void create(const Step& step, LineId line);
    void write(const Step& step, LineId line);
    void resize(const Step& step, LineId line);
    void remove(const Step& step, LineId line);
    void rename(const Step& step, LineId line);
    void link(const Step& step, LineId line);
    void fork(const Step& step, LineId line);
    void delete_line(const Step& step, LineId line);
    void note(const Step& step);
    void open_or_release(const Step& step, LineId line);
    void restart(const Step& step);
    void restart_with_faults(const Step& step);
    void fill_disk(uint32_t left_bytes);
    void make_room();
    // Nothing if the disk is full.
    std::optional<uint64_t> commit(const Commit& commit);
    void set_windows(const Step& step);
    void reclaim(const Step& step);
    bool must_be_restorable(const ModelLine& line, LineId id, uint64_t position) const;

    template <class Outcome>
    bool check(const Outcome& outcome, const Expected& expected);
    template <class Edit>
    void edit(LineId line, const Edit& edit);
    const ModelTree& tree(LineId line);
    uint64_t pick_directory(LineId line, uint32_t choice);
    uint64_t pick_file(LineId line, uint32_t choice);  // 0: there is none
    Expected replace_errors(LineId line, uint64_t moved, uint64_t replaced);
    void drop_link(ModelTree& tree, LineId line, uint64_t inode);
    bool is_open(LineId line, uint64_t inode) const;

    void open();
    Status try_open();
    void kill();
    void cut_power(uint32_t seed);
    void verify(LineId line);
    void check_files();
    void check_open_store();

    IndexKind index_;
    CacheKind cache_;
    std::string directory_;
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<Store> store_;
    StoreModel model_;
    std::vector<OpenFile> open_files_;
    uint64_t position_before_ = 0;
    uint64_t synced_ = 0;
    bool is_disk_full_ = false;
    std::optional<RestoreWindows> windows_;
    std::chrono::nanoseconds shortest_window_{std::chrono::hours{24 * 30}};
    WallTime reclaimed_at_{};
    std::map<uint64_t, WallTime> times_;  // when a position was the newest
};

}  // namespace lb::store
