// The catalog in a real store: what an edit's notes say is what a load gives back.
#include "engine/catalog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "engine/generation_log.h"

namespace lb::engine {
namespace {

class CatalogTest : public ::testing::Test {
protected:
    CatalogTest() {
        std::string path = "/tmp/lb-catalog-XXXXXX";
        LB_ASSERT(::mkdtemp(path.data()) != nullptr);
        directory_ = path;
        open();
    }
    ~CatalogTest() override {
        store_.reset();
        std::filesystem::remove_all(directory_);
    }

    void open() {
        store_.reset();
        store_ = LB_MUST(store::Store::open({.directory = directory_ + "/store",
                                             .spare_segments = 0,
                                             .segment_bytes = uint64_t{1} << 20}));
    }

    BranchRecord branch(const std::string& name, BranchId parent = {}) {
        LineId line = store_->reserve_line();
        return {.id = BranchId{line.value()},
                .name = name,
                .line = line,
                .parent = parent,
                .created_in = Generation{1},
                .version = Generation{1}};
    }

    // Writes `edit` as an apply does, with the lines of `created` and without those of `removed`.
    void write(const CatalogEdit& edit, const std::vector<BranchRecord>& created,
               const std::vector<LineId>& removed = {}) {
        store::Commit commit{.remove = removed, .notes = catalog_.to_notes(edit)};
        for (const BranchRecord& record : created) {
            commit.create.push_back({.line = record.line, .parent = LineId{record.parent.value()}});
        }
        LB_MUST(store_->commit(commit));
        catalog_.adopt(edit);
    }

    CatalogEdit first_edit(const BranchRecord& main) {
        return {.project = {.id = ProjectId{main.id.value()},
                            .name = "shop",
                            .default_branch = main.id,
                            .generation = Generation{1},
                            .version = Generation{1}},
                .put_branches = {main},
                .generation = {.number = Generation{1}, .transaction = "lb-shop-1-5"}};
    }

    void expect_loaded_is_same() {
        open();
        Catalog loaded = LB_MUST(Catalog::load(*store_));
        ASSERT_EQ(loaded.projects().size(), catalog_.projects().size());
        for (const auto& [name, project] : catalog_.projects()) {
            const Project* other = loaded.find(name);
            ASSERT_NE(other, nullptr) << name;
            EXPECT_EQ(other->record, project.record);
            EXPECT_EQ(other->branches, project.branches);
            EXPECT_EQ(other->branch_names, project.branch_names);
            EXPECT_EQ(other->managed, project.managed);
        }
    }

    std::string directory_;
    std::unique_ptr<store::Store> store_;
    Catalog catalog_;
};

TEST_F(CatalogTest, AnEmptyStoreHasNoProjects) {
    EXPECT_TRUE(LB_MUST(Catalog::load(*store_)).projects().empty());
}

TEST_F(CatalogTest, EditsComeBackAfterAReopen) {
    BranchRecord main = branch("main");
    write(first_edit(main), {main});
    expect_loaded_is_same();

    BranchRecord staging = branch("staging", main.id);
    BranchRecord preview = branch("feature/cart", main.id);
    CatalogEdit second = first_edit(main);
    second.project.generation = Generation{2};
    second.put_branches = {staging, preview};
    second.put_managed = {{main.id, {.roles = {{"app", {.version = Generation{2}}}}}}};
    second.generation.number = Generation{2};
    write(second, {staging, preview});
    EXPECT_EQ(catalog_.find("shop")->children(main.id),
              (std::vector<std::string>{"feature/cart", "staging"}));
    expect_loaded_is_same();

    CatalogEdit third = second;
    third.project.generation = Generation{3};
    third.generation.number = Generation{3};
    third.put_branches.clear();
    third.put_managed = {{main.id, {}}};  // the last managed role goes
    third.removed_branches = {"staging"};
    write(third, {}, {staging.line});
    EXPECT_EQ(catalog_.find("shop")->find_branch("staging"), nullptr);
    EXPECT_EQ(catalog_.find("shop")->find_branch(staging.id), nullptr);
    expect_loaded_is_same();
}

TEST_F(CatalogTest, ADestroyedProjectLeavesItsGenerationAndNothingElse) {
    BranchRecord main = branch("main");
    write(first_edit(main), {main});
    CatalogEdit destroy = first_edit(main);
    destroy.removes_project = true;
    destroy.put_branches.clear();
    destroy.generation.number = Generation{7};
    write(destroy, {}, {main.line});
    expect_loaded_is_same();
    EXPECT_EQ(LB_MUST(last_generation_of_destroyed(*store_, "shop")), Generation{7});
    EXPECT_EQ(LB_MUST(last_generation_of_destroyed(*store_, "other")), Generation{});

    LB_MUST(sweep_destroyed_projects(*store_));
    std::vector<std::string> keys;
    for (const store::Note& note : LB_MUST(store_->notes(""))) keys.push_back(note.key);
    EXPECT_EQ(keys, (std::vector<std::string>{"catalog", "tombstone/shop"}));
    LB_MUST(sweep_destroyed_projects(*store_));

    BranchRecord again = branch("main");
    write(first_edit(again), {again});
    EXPECT_EQ(LB_MUST(last_generation_of_destroyed(*store_, "shop")), Generation{});
}

TEST_F(CatalogTest, ATransactionIsCommittedByTheRecordOfItsOwnAttempt) {
    BranchRecord main = branch("main");
    write(first_edit(main), {main});
    ProjectId id{main.id.value()};
    EXPECT_EQ(transaction_name("shop", Generation{1}, Position{5}), "lb-shop-1-5");
    EXPECT_TRUE(LB_MUST(is_transaction_committed(*store_, id, "lb-shop-1-5")));
    // A failed attempt at the same generation, an apply that has not committed, other texts.
    for (const char* name : {"lb-shop-1-4", "lb-shop-2-5", "lb-shop-1", "", "lb", "a-b-c-d"}) {
        EXPECT_FALSE(LB_MUST(is_transaction_committed(*store_, id, name))) << name;
    }
    EXPECT_FALSE(LB_MUST(is_transaction_committed(*store_, ProjectId{999}, "lb-shop-1-5")));
}

TEST_F(CatalogTest, TakenPortsAreThoseOfOtherBranches) {
    BranchRecord main = branch("main");
    main.port = 54321;
    BranchRecord fixed = branch("fixed", main.id);
    fixed.compute.port = 6000;
    CatalogEdit edit = first_edit(main);
    edit.put_branches = {main, fixed};
    write(edit, {main, fixed});
    EXPECT_EQ(catalog_.taken_ports(main.id), (std::vector<uint16_t>{6000}));
    EXPECT_EQ(catalog_.taken_ports(BranchId{}), (std::vector<uint16_t>{6000, 54321}));
}

TEST_F(CatalogTest, NamesThatDoNotExistGetAHint) {
    BranchRecord main = branch("main");
    write(first_edit(main), {main});
    auto project = catalog_.project("shap");
    ASSERT_FALSE(project.is_ok());
    EXPECT_EQ(project.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(project.error().help, "did you mean \"shop\"?");
    auto missing = catalog_.branch("shop", "mian");
    ASSERT_FALSE(missing.is_ok());
    EXPECT_EQ(missing.error().help, "did you mean \"main\"?");
}

TEST_F(CatalogTest, NotesThatDoNotFitTogetherAreDamage) {
    auto expect_damaged = [&](const std::string& key, std::optional<std::string> value) {
        BranchRecord main = branch("main");
        catalog_ = Catalog();
        CatalogEdit edit = first_edit(main);
        write(edit, {main});
        store::Commit commit;
        commit.notes.push_back(
            {.key = key == "branch" ? branch_key(edit.project.id, main.id) : key, .value = value});
        LB_MUST(store_->commit(commit));
        auto loaded = Catalog::load(*store_);
        ASSERT_FALSE(loaded.is_ok()) << key;
        EXPECT_EQ(loaded.error().code, ErrorCode::kStoreDamaged) << to_text(loaded.error());
        store::Commit cleanup;
        for (const store::Note& note : LB_MUST(store_->notes(""))) {
            cleanup.notes.push_back({.key = note.key});
        }
        LB_MUST(store_->commit(cleanup));
    };
    expect_damaged("branch", std::nullopt);  // the default branch is gone
    expect_damaged("branch", "{\"v\":1}");
    expect_damaged("branch", "nonsense");
    expect_damaged("branch/77/78", encode(branch("orphan")));
    expect_damaged("project/99", encode(ProjectRecord{.id = ProjectId{98},
                                                      .name = "other",
                                                      .default_branch = BranchId{1},
                                                      .generation = Generation{1},
                                                      .version = Generation{1}}));
    expect_damaged("template/15",
                   encode(TemplateRecord{.line = LineId{4711}, .postgres_version = "15.20"}));
    expect_damaged("catalog", "x");
}

TEST_F(CatalogTest, ANewerCatalogIsRefused) {
    store::Commit commit;
    commit.notes.push_back({.key = "catalog", .value = "{\"v\":2}"});
    LB_MUST(store_->commit(commit));
    auto loaded = Catalog::load(*store_);
    ASSERT_FALSE(loaded.is_ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kStoreFormatNewer);
}

// One a frame, as an apply does.
TEST_F(CatalogTest, OldGenerationsFade) {
    ProjectId project{1};
    auto write_generation = [&](uint64_t number) {
        GenerationRecord record{.number = Generation{number}};
        if (number % 2 == 0) record.transaction = cat("lb-shop-", number, "-1");
        record.changes.push_back(
            {.address = Address::of_role("main", "app"), .after = RoleValue{{.login = true}}});
        record.changes.push_back({.address = Address::of_branch("x"), .after = BranchValue{}});
        store::Commit commit{
            .notes = {{.key = generation_key(project, record.number), .value = encode(record)}}};
        auto faded = LB_MUST(faded_generation(*store_, project, record.number));
        if (faded) commit.notes.push_back(*std::move(faded));
        LB_MUST(store_->commit(commit));
    };
    uint64_t newest = kGenerationsKept + 10;
    for (uint64_t number = 1; number <= newest; ++number) write_generation(number);
    auto kept = LB_MUST(read_generations(*store_, project, Generation{newest}, {}));
    ASSERT_EQ(kept.size(), kGenerationsKept);
    EXPECT_EQ(kept.front().number.value(), newest);
    EXPECT_TRUE(kept.back().has_values);
    // Those that ran SQL are still asked whether they were committed.
    EXPECT_EQ(LB_MUST(store_->notes("generation/1/")).size(), kGenerationsKept + 5);
    EXPECT_TRUE(LB_MUST(is_transaction_committed(*store_, project, "lb-shop-2-1")));
    GenerationRecord faded =
        LB_MUST(decode_generation(*LB_MUST(store_->note(generation_key(project, Generation{2})))));
    EXPECT_FALSE(faded.has_values);
    ASSERT_EQ(faded.changes.size(), 1u);
    EXPECT_EQ(faded.changes[0].after, ResourceValue{});

    auto some = LB_MUST(read_generations(*store_, project, Generation{newest},
                                         {.after = Generation{newest - 5}, .count_max = 3}));
    ASSERT_EQ(some.size(), 3u);
    EXPECT_EQ(some.back().number.value(), newest - 2);
}

TEST_F(CatalogTest, AHugeGenerationKeepsNoValues) {
    GenerationRecord record{.number = Generation{1}};
    record.changes.resize(60'000, {.address = Address::of_branch("a"), .after = BranchValue{}});
    GenerationRecord written = LB_MUST(decode_generation(encode_within_limit(record)));
    EXPECT_FALSE(written.has_values);
    EXPECT_EQ(written.changes.size(), record.changes.size());
}

}  // namespace
}  // namespace lb::engine
