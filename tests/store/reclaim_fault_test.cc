// Reclaim while the n-th call to the disk fails, for every n, and power cuts at each of these
// places: what the store shows afterwards is what it showed, wherever a step was cut short.
#include "store/check.h"
#include "tests/store/reclaim_fixture.h"

namespace lb::store {
namespace {

struct Script {
    LineId main{1};
    LineId child{2};
    InodeId table;
    InodeId other;
};

std::string blocks(char letter, size_t count) { return std::string(count * kBlockBytes, letter); }

// Everything durable: full segments with live and dead blocks, a branch, removed files.
Script prepare(MemoryDisk& disk) {
    LB_MUST(disk.create_directory("/store"));
    LB_MUST(disk.sync_directory("/"));
    auto store = LB_MUST(open_reclaim_store(disk));
    Script script;
    for (int i = 0; i < 2; i++) static_cast<void>(store->reserve_line());
    LB_MUST(store->commit({.create = {{.line = script.main}}, .notes = {{"a", "1"}, {"b", "2"}}}));
    script.table = LB_MUST(store->create(script.main, kRootInode, "table", {})).inode;
    script.other = LB_MUST(store->create(script.main, kRootInode, "other", {})).inode;
    LB_MUST(store->write(script.main, script.table, 0, as_bytes(blocks('a', 20))));
    LB_MUST(store->commit({.create = {{.line = script.child, .parent = script.main}}}));
    for (char letter : {'b', 'c', 'd'}) {
        LB_MUST(store->write(script.main, script.other, 0, as_bytes(blocks(letter, 15))));
        LB_MUST(store->write(script.child, script.table, 0, as_bytes(blocks(letter, 5))));
    }
    LB_MUST(store->set_attributes(script.child, script.table, {.size_bytes = 9 * kBlockBytes + 5}));
    LB_MUST(store->remove(script.main, kRootInode, "table", FileType::kFile));
    LB_MUST(store->create(script.main, kRootInode, "table", {}));
    LB_MUST(store->write(script.main, script.other, 0, as_bytes(blocks('e', 10))));
    LB_MUST(store->commit({.notes = {{"a", std::nullopt}, {"c", "3"}}}));
    LB_MUST(store->sync(store->position().value()));
    LB_MUST(store->close());
    return script;
}

struct Picture {
    std::map<LineId, ModelTree> lines;
    std::vector<std::string> notes;
    uint64_t position = 0;
};

Picture picture_of(Store& store) {
    Picture picture;
    for (const LineInfo& line : store.lines()) {
        picture.lines[line.line] = read_tree(store, line.line);
    }
    for (const Note& note : LB_MUST(store.notes(""))) {
        picture.notes.push_back(note.key + *note.value);
    }
    picture.position = store.position().value();
    return picture;
}

void expect_equal(const Picture& expected, const Picture& actual, const std::string& what) {
    EXPECT_EQ(expected.position, actual.position) << what;
    EXPECT_EQ(expected.notes, actual.notes) << what;
    ASSERT_EQ(expected.lines.size(), actual.lines.size()) << what;
    for (const auto& [line, tree] : expected.lines) {
        EXPECT_EQ(difference(tree, actual.lines.at(line)), "") << what;
    }
}

// Opens, reclaims all that can be; true if nothing failed.
bool live(MemoryDisk& disk) {
    Result<std::unique_ptr<Store>> store = open_reclaim_store(disk);
    if (!store) return false;
    (*store)->set_restore_windows({.standard = std::chrono::seconds{0}});
    for (int i = 0; i < 2; i++) {
        Result<bool> stepped = true;
        while (stepped && *stepped) stepped = (*store)->reclaim_step();
        if (!stepped) return false;
        disk.advance_clock(std::chrono::hours{1});  // cold segments are looked at again
    }
    return (*store)->close().is_ok();
}

// But for what the next open clears.
void expect_clean(Disk& disk, const std::string& what) {
    CheckReport report = LB_MUST(check_store({.directory = "/store", .disk = &disk}, {}));
    for (const Problem& problem : report.problems) {
        if (problem.code == ProblemCode::kLeftOver) continue;
        ADD_FAILURE() << what << ": " << problem_name(problem.code) << ": " << problem.message;
    }
}

enum class Then { kRestart, kPowerCut };

void fail_each_call(FaultMode mode, Then then, ErrorCode code) {
    Picture expected;
    {
        MemoryDisk disk;
        prepare(disk);
        auto store = LB_MUST(open_reclaim_store(disk));
        expected = picture_of(*store);
    }
    for (uint64_t n = 0; n < 3000; n++) {
        MemoryDisk disk(n);
        prepare(disk);
        disk.fail_after(n, Error{.code = code, .message = "injected"}, mode);
        bool is_finished = live(disk);
        disk.stop_failing();
        if (then == Then::kPowerCut) disk.crash(n * 7 + 1);
        std::string what = cat("call ", n);
        expect_clean(disk, what);
        Result<std::unique_ptr<Store>> store = open_reclaim_store(disk);
        ASSERT_TRUE(store.is_ok()) << what << ": " << to_text(store.error());
        expect_equal(expected, picture_of(**store), what);
        // And reclaim goes on where it was.
        (*store)->set_restore_windows({.standard = std::chrono::seconds{0}});
        while (LB_MUST((*store)->reclaim_step())) {
        }
        expect_equal(expected, picture_of(**store), what + ", reclaimed");
        LB_MUST((*store)->close());
        expect_clean(disk, what + ", reclaimed");
        store = open_reclaim_store(disk);
        ASSERT_TRUE(store.is_ok()) << what << ": " << to_text(store.error());
        expect_equal(expected, picture_of(**store), what + ", rebuilt");
        if (is_finished || testing::Test::HasFailure()) {
            EXPECT_GT(n, 50U);
            return;
        }
    }
    FAIL() << "the script never ends";
}

TEST(ReclaimFault, EachCallFailsOnce) {
    fail_each_call(FaultMode::kOnce, Then::kRestart, ErrorCode::kIo);
}
TEST(ReclaimFault, EachCallFailsFromThenOn) {
    fail_each_call(FaultMode::kFromThenOn, Then::kRestart, ErrorCode::kIo);
}
TEST(ReclaimFault, PowerCutAtEachCall) {
    fail_each_call(FaultMode::kFromThenOn, Then::kPowerCut, ErrorCode::kIo);
}
TEST(ReclaimFault, PowerCutAfterOneFailure) {
    fail_each_call(FaultMode::kOnce, Then::kPowerCut, ErrorCode::kIo);
}

// A full disk stops a step at any place; when there is room, it is done.
TEST(ReclaimFault, AFullDiskAtEachByte) {
    MemoryDisk first;
    prepare(first);
    Picture expected = picture_of(*LB_MUST(open_reclaim_store(first)));
    for (uint64_t room_bytes = 0; room_bytes < 200'000; room_bytes += 3001) {
        MemoryDisk disk(room_bytes);
        prepare(disk);
        auto store = LB_MUST(open_reclaim_store(disk));
        store->set_restore_windows({.standard = std::chrono::seconds{0}});
        disk.set_capacity_bytes(disk.used_bytes() + room_bytes);
        Result<bool> stepped = store->reclaim_step();
        if (!stepped) {
            EXPECT_EQ(stepped.error().code, ErrorCode::kStoreFull);
        }
        expect_equal(expected, picture_of(*store), cat("room ", room_bytes));
        disk.set_capacity_bytes(UINT64_MAX);
        while (LB_MUST(store->reclaim_step())) {
        }
        EXPECT_GT(store->statistics().reclaimed_bytes, 0U);
        expect_equal(expected, picture_of(*store), cat("room ", room_bytes));
        LB_MUST(store->close());
    }
}

}  // namespace
}  // namespace lb::store
