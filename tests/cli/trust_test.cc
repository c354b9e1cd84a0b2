// Damage, from the disk to the user: a page of a table is damaged under a real PostgreSQL, found by
// lb fsck, named, never served, and everything else goes on. And what the daemon tells of itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <regex>
#include <set>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/support/flip_bit.h"

namespace lb::tests {
namespace {

namespace fs = std::filesystem;
using Trust = ShellTest;

constexpr const char* kShop = R"(
[project]
name = "shop"

[branches.staging]
parent = "main"

[databases.shop]
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

uint64_t number_in(const std::string& text, const std::string& name) {
    std::smatch match;
    bool is_found = std::regex_search(text, match, std::regex(name + "=([0-9]+)"));
    EXPECT_TRUE(is_found) << name << " in " << text;
    return is_found ? std::stoull(match[1]) : 0;
}

// A block of the table as it is now, as `lb debug index` shows it. Stops the daemon.
std::string block_entry(Shell& shell, const std::string& table, uint64_t block) {
    std::string path = shell.sql("main", "shop", cat("SELECT pg_relation_filepath('", table, "')"));
    std::string line = shell.home().line_of("main");
    std::string inode = shell.must(cat("stat -c %i ", shell.path("home/mnt/"), line, "/", path));
    uint64_t data = (std::stoull(inode) & ((uint64_t{1} << 40) - 1)) << 24;
    shell.must("lb stop");
    // Versions are newest first.
    return shell.must(cat("lb debug index --prefix 'block line=", line, " data=", data,
                          " block=", block, " ' | head -1"));
}

TEST_F(Trust, ADamagedPageIsAnErrorForThatPageOnly) {
    shell().write_spec(kShop);
    shell().must("lb apply --auto-approve");
    shell().sql("main", "shop",
                "CREATE TABLE t AS SELECT i, md5(i::text) AS m FROM "
                "generate_series(1, 300000) AS i; CHECKPOINT");
    // Later segments, so that the table's is an old one.
    shell().sql("main", "shop",
                "CREATE TABLE later AS SELECT i, repeat(md5(i::text), 8) AS m FROM "
                "generate_series(1, 500000) AS i; CHECKPOINT");
    std::string entry = block_entry(shell(), "t", 100);
    std::string segment_name = shell().must(cat("printf %016x.seg ", number_in(entry, "segment")));
    flip_bit(cat(shell().path("home/store/seg/"), segment_name),
             number_in(entry, "offset") + 48 + 2000, 5);

    ShellResult checked = shell().run("lb fsck");
    EXPECT_EQ(checked.exit_code, 8) << checked.out << checked.err;
    EXPECT_TRUE(has(checked.out, "record segment ")) << checked.out;
    EXPECT_TRUE(has(checked.out, "of shop/main file base/")) << checked.out;
    EXPECT_TRUE(has(checked.out, "damaged: 1 problem:")) << checked.out;

    // The next pass is not due for days; without its state it begins at once.
    fs::remove(shell().path("home/store/scrub.json"));
    // The daemon starts; the page is an error, all others and everything else are as they were.
    ShellResult damaged =
        shell().run("LB_SCRUB_RATE=1000 lb psql -d shop -- -Atc 'SELECT count(m) FROM t'");
    EXPECT_NE(damaged.exit_code, 0);
    EXPECT_TRUE(has(damaged.err, "could not read block 100 in file")) << damaged.err;
    EXPECT_EQ(shell().sql("main", "shop", "SELECT i FROM t WHERE ctid = '(99,1)'"),
              shell().sql("main", "shop", "SELECT 1 + count(*) FROM t WHERE ctid < '(99,1)'"));
    EXPECT_NE(shell().sql("main", "shop", "SELECT i FROM t WHERE ctid = '(101,1)'"), "");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM later"), "500000");
    EXPECT_EQ(shell().sql("staging", "postgres", "SELECT 1"), "1");
    EXPECT_TRUE(has(shell().must("lb status"), "the store is damaged: "));
    std::string log = shell().must("lb logs --daemon");
    EXPECT_TRUE(has(log, "damage met: ")) << log;
    EXPECT_TRUE(has(log, "branch shop/main, file base/")) << log;
    EXPECT_FALSE(has(shell().must("lb metrics"), "lb_store_damage_met_total 0"));

    // The scrubber finds it too, and so does a check while the daemon serves.
    shell().must(
        "for i in $(seq 300); do lb metrics | grep -q 'lb_scrub_passes_total [1-9]' && exit 0; "
        "sleep 0.1; done; exit 1");
    EXPECT_TRUE(has(shell().must("lb metrics"), "lb_scrub_problems 1"));
    EXPECT_TRUE(has(shell().must("lb logs --daemon"), "scrub: record segment "));
    ShellResult online = shell().run("lb fsck --json");
    EXPECT_EQ(online.exit_code, 8);
    EXPECT_TRUE(has(online.out, "\"shop/main\"")) << online.out;

    // What the docs say heals it.
    shell().sql("main", "shop", "TRUNCATE t");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM t"), "0");
}

// Wherever a bit flips, the check finds it, or what was hit holds nothing; and a daemon that starts
// serves the right data or an error.
TEST_F(Trust, FlippedBitsOfARealStoreAreFound) {
    shell().write_spec(kShop);
    shell().must("lb apply --auto-approve");
    shell().sql("main", "shop",
                "CREATE TABLE t AS SELECT i, md5(i::text) AS m FROM "
                "generate_series(1, 20000) AS i");
    const std::string query = "SELECT count(*), sum(hashtext(m)) FROM t";
    std::string expected = shell().sql("main", "shop", query);
    shell().must("lb stop");
    const std::string store = shell().path("home/store");
    fs::copy(store, store + ".kept", fs::copy_options::recursive);
    const uint64_t log_bytes = 30'000'000;
    std::mt19937_64 random(20261124);
    for (int round = 0; round < 8; round++) {
        std::string path = store + "/SUPER";
        uint64_t size_bytes = fs::file_size(path);
        if (round % 4 != 3) {
            path = store + "/seg/0000000000000001.seg";
            size_bytes = log_bytes;
        }
        uint64_t offset = random() % size_bytes;
        SCOPED_TRACE(cat(path, " offset ", offset));
        flip_bit(path, offset, static_cast<unsigned>(random() % 8));
        EXPECT_EQ(shell().run("lb fsck").exit_code, 8);
        ShellResult answer = shell().run(cat("lb psql -d shop -- -Atc '", query, "'"));
        if (answer.exit_code == 0) {
            EXPECT_EQ(answer.out, expected + "\n");
        } else {
            EXPECT_TRUE(has(answer.err, "LB0201") || has(answer.err, "could not read"))
                << answer.err;
        }
        shell().run("lb stop");
        fs::remove_all(store);
        fs::copy(store + ".kept", store, fs::copy_options::recursive);
    }
    EXPECT_EQ(shell().run("lb fsck").exit_code, 0);
    // A lost or damaged index is made anew.
    shell().must(cat("printf garbage > ", store, "/index/CURRENT"));
    EXPECT_EQ(shell().run("lb fsck").exit_code, 8);
    EXPECT_EQ(shell().run("lb fsck --rebuild-index").exit_code, 0);
    EXPECT_EQ(shell().run("lb fsck").exit_code, 0);
    EXPECT_EQ(shell().sql("main", "shop", query), expected);
    shell().refused("lb fsck --rebuild-index", 1, "LB0602");
    fs::remove_all(store + ".kept");
}

TEST_F(Trust, MetricsAreWhatPrometheusReads) {
    shell().write_spec(kShop);
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT 1"), "1");
    std::string text = shell().must("lb metrics");
    const std::regex sample(R"(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)");
    std::set<std::string> helped;
    std::set<std::string> typed;
    for (const std::string& line : split(text, '\n')) {
        std::smatch match;
        if (line.empty()) continue;
        if (std::regex_match(line, match, std::regex("# HELP ([a-z_]+) .+"))) {
            EXPECT_TRUE(helped.insert(match[1]).second) << line;
        } else if (std::regex_match(line, match,
                                    std::regex("# TYPE ([a-z_]+) (counter|gauge|histogram)"))) {
            EXPECT_TRUE(typed.insert(match[1]).second) << line;
        } else {
            ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
            std::string name = match[1];
            for (const char* suffix : {"_bucket", "_sum", "_count"}) {
                if (name.ends_with(suffix)) {
                    std::string base = name.substr(0, name.size() - std::string(suffix).size());
                    if (typed.contains(base)) name = base;
                }
            }
            EXPECT_TRUE(typed.contains(name) && helped.contains(name)) << line;
        }
    }
    EXPECT_TRUE(has(text, "lb_computes{state=\"running\"} 1")) << text;
    EXPECT_TRUE(has(text, "lb_branch_transactions_total{project=\"shop\",branch=\"main\"} "));
    EXPECT_FALSE(has(text, "lb_branch_transactions_total{project=\"shop\",branch=\"staging\"} "));
    EXPECT_TRUE(has(text, "lb_fuse_request_duration_seconds_count{operation=\"write\"} "));
    // Every name is in the documentation.
    std::string documentation = shell().must(cat("cat ", LB_SOURCE_DIRECTORY, "/docs/metrics.md"));
    for (const std::string& name : typed) EXPECT_TRUE(has(documentation, name)) << name;
    // Over the socket, as a scraper asks: without a version.
    std::string socket = shell().path("home/run/lb.sock");
    ShellResult scraped = shell().run(cat("curl -s --unix-socket ", socket, " http://lb/metrics"));
    EXPECT_TRUE(scraped.exit_code == 127 || has(scraped.out, "lb_build_info"));
}

TEST_F(Trust, TopShowsWhatGoesOnAndWakesNobody) {
    shell().write_spec(kShop);
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT 1"), "1");
    std::string text = shell().must("lb top --once");
    EXPECT_TRUE(has(text, "BRANCH")) << text;
    EXPECT_TRUE(std::regex_search(text, std::regex("shop/main +running +0 "))) << text;
    EXPECT_TRUE(std::regex_search(text, std::regex("shop/staging +stopped +- +-"))) << text;
    EXPECT_FALSE(has(text, "\x1b[")) << text;
    Json document = shell().json("lb top --json");
    EXPECT_EQ(LB_MUST(document.array_at("branches"))->size(), 2u);
    EXPECT_TRUE(has(shell().must("lb status"), "stopped"));
}

TEST_F(Trust, DumpersNeedNoDaemonAndPassDamage) {
    shell().write_spec(kShop);
    shell().must("lb apply --auto-approve && lb stop");
    EXPECT_TRUE(has(shell().must("lb debug super"), "checksum right"));
    EXPECT_TRUE(has(shell().must("lb debug catalog"), "\"name\":\"staging\""));
    EXPECT_TRUE(
        has(shell().must("lb debug catalog --json --prefix project/"), "\"key\":\"project/"));
    EXPECT_TRUE(has(shell().must("lb debug index --prefix line"), "logical_bytes="));
    EXPECT_TRUE(has(shell().must("lb debug index --json --prefix dirent | head -1"), "\"name\":"));
    const std::string store = shell().path("home/store");
    flip_bit(store + "/SUPER", 100, 1);
    flip_bit(store + "/seg/0000000000000001.seg", 4096 + 20, 1);
    fs::remove_all(store + "/index");
    EXPECT_TRUE(has(shell().run("lb debug super").out, "damaged: "));
    EXPECT_TRUE(has(shell().must("lb debug catalog"), "\"name\":\"staging\""));
    shell().refused("lb debug index", 1, "LB0205");
    shell().refused("lb serve --scrub-rate fast", 64, "LB0600");
    EXPECT_FALSE(shell().home().daemon_pid().has_value());
}

}  // namespace
}  // namespace lb::tests
