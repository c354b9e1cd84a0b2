// What the store costs without FUSE and without PostgreSQL: one thread, a store in $TMPDIR.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/text.h"
#include "store/store.h"

namespace lb::store {
namespace {

constexpr uint64_t kFileBytes = uint64_t{64} << 20;

class BenchStore {
public:
    BenchStore() {
        std::string name = (std::filesystem::temp_directory_path() / "lb-bench-XXXXXX").string();
        directory_ = ::mkdtemp(name.data());
        store_ = LB_MUST(Store::open({.directory = directory_}));
        main_ = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = main_}}}));
        Bytes block(kBlockBytes, std::byte{0x5A});
        file_ = LB_MUST(store_->create(main_, kRootInode, "table", {})).inode;
        for (uint64_t at = 0; at < kFileBytes; at += kBlockBytes) {
            LB_MUST(store_->write(main_, file_, at, block));
        }
    }
    ~BenchStore() {
        LB_MUST(store_->close());
        store_.reset();
        std::filesystem::remove_all(directory_);
    }

    Store& store() { return *store_; }
    LineId main() const { return main_; }
    InodeId file() const { return file_; }

    LineId branch(LineId parent) {
        LineId line = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line, .parent = parent}}}));
        return line;
    }

    // Opens again, with the index lost: a replay of the whole log.
    void rebuild_index() {
        std::filesystem::remove_all(directory_ + "/index");
        store_ = LB_MUST(Store::open({.directory = directory_}));
    }
    void close() {
        LB_MUST(store_->close());
        store_.reset();
    }

private:
    std::string directory_;
    std::unique_ptr<Store> store_;
    LineId main_;
    InodeId file_;
};

// A cheap generator, so that block numbers do not show in the figures.
class BlockNumbers {
public:
    uint64_t next_offset() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state_ >> 33) % (kFileBytes / kBlockBytes) * kBlockBytes;
    }

private:
    uint64_t state_ = 1;
};

void write_block(benchmark::State& state) {
    BenchStore bench;
    BlockNumbers numbers;
    Bytes block(kBlockBytes, std::byte{0x3C});
    for (auto _ : state) {
        LB_MUST(bench.store().write(bench.main(), bench.file(), numbers.next_offset(), block));
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * kBlockBytes);
}
BENCHMARK(write_block)->UseRealTime();

void append_block(benchmark::State& state) {
    BenchStore bench;
    Bytes block(kBlockBytes, std::byte{0x3C});
    InodeId file = LB_MUST(bench.store().create(bench.main(), kRootInode, "new", {})).inode;
    uint64_t offset = 0;
    for (auto _ : state) {
        LB_MUST(bench.store().write(bench.main(), file, offset, block));
        offset += kBlockBytes;
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * kBlockBytes);
}
BENCHMARK(append_block)->UseRealTime();

void read_block_hot(benchmark::State& state) {
    BenchStore bench;
    BlockNumbers numbers;
    Bytes block(kBlockBytes);
    for (auto _ : state) {
        LB_MUST(bench.store().read(bench.main(), bench.file(), numbers.next_offset(), block));
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * kBlockBytes);
}
BENCHMARK(read_block_hot)->UseRealTime();

// On a branch at depth `range`, each time with nothing of the file in memory: an index look-up in
// every ancestor.
void read_block_first_time(benchmark::State& state) {
    BenchStore bench;
    LineId parent = bench.main();
    for (int64_t depth = 1; depth < state.range(0); depth++) parent = bench.branch(parent);
    Bytes block(kBlockBytes);
    BlockNumbers numbers;
    for (auto _ : state) {
        state.PauseTiming();
        LineId line = bench.branch(parent);
        LB_MUST(bench.store().attributes(line, bench.file()));
        state.ResumeTiming();
        LB_MUST(bench.store().read(line, bench.file(), numbers.next_offset(), block));
    }
}
BENCHMARK(read_block_first_time)->Arg(1)->Arg(10)->Arg(50)->Iterations(200)->UseRealTime();

void look_up_name(benchmark::State& state) {
    BenchStore bench;
    for (auto _ : state) {
        LB_MUST(bench.store().lookup(bench.main(), kRootInode, "table"));
    }
}
BENCHMARK(look_up_name)->UseRealTime();

void get_attributes(benchmark::State& state) {
    BenchStore bench;
    for (auto _ : state) {
        LB_MUST(bench.store().attributes(bench.main(), bench.file()));
    }
}
BENCHMARK(get_attributes)->UseRealTime();

void create_file(benchmark::State& state) {
    BenchStore bench;
    uint64_t number = 0;
    for (auto _ : state) {
        LB_MUST(bench.store().create(bench.main(), kRootInode, cat("f", number++), {}));
    }
}
BENCHMARK(create_file)->UseRealTime();

void sync_block(benchmark::State& state) {
    BenchStore bench;
    BlockNumbers numbers;
    Bytes block(kBlockBytes, std::byte{0x3C});
    for (auto _ : state) {
        auto written =
            LB_MUST(bench.store().write(bench.main(), bench.file(), numbers.next_offset(), block));
        LB_MUST(bench.store().sync(written.last_sequence));
    }
}
BENCHMARK(sync_block)->UseRealTime();

// One durable branch of a store that has `range` lines already.
void create_branch(benchmark::State& state) {
    BenchStore bench;
    Commit commit;
    for (int64_t i = 1; i < state.range(0); i++) {
        commit.create.push_back({.line = bench.store().reserve_line(), .parent = bench.main()});
    }
    if (!commit.create.empty()) LB_MUST(bench.store().commit(commit));
    for (auto _ : state) {
        benchmark::DoNotOptimize(bench.branch(bench.main()));
    }
}
BENCHMARK(create_branch)->Arg(1)->Arg(1000)->Arg(10000)->UseRealTime();

// What a start costs after a kill, by the byte of log that the index has not seen.
void replay_log(benchmark::State& state) {
    BenchStore bench;
    uint64_t log_bytes = bench.store().statistics().log_bytes;
    for (auto _ : state) {
        state.PauseTiming();
        bench.close();
        state.ResumeTiming();
        bench.rebuild_index();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(log_bytes));
}
BENCHMARK(replay_log)->Iterations(5)->UseRealTime();

}  // namespace
}  // namespace lb::store

BENCHMARK_MAIN();
