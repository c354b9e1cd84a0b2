// Clients of the position campaign. Each changes things that only it uses, and records the store's
// position around every step, so that for any position it can say what a branch made there must
// show: everything acknowledged before, nothing begun after, and of what was under way either all
// or nothing.
//
// One thread per client; what it recorded is read after stop().
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/sql.h"

namespace lb::engine::testing {

using PositionNow = std::function<uint64_t()>;

// Rows of one table by the batch that brought them.
struct Batch {
    int64_t count = 0;
    int64_t sum = 0;
};
using TableModel = std::map<int, Batch>;
using TablesModel = std::map<std::string, TableModel>;

// A transaction that was committed. Positions are those that the store had at that moment.
struct RecordedTransaction {
    uint64_t begun = 0;         // before its first statement
    uint64_t prepared = 0;      // after PREPARE TRANSACTION was acknowledged; 0: in one phase
    uint64_t deciding = 0;      // before COMMIT PREPARED
    uint64_t acknowledged = 0;  // after the commit was
    TablesModel after = {};
};

// Creates, fills, cuts, rewrites and drops tables of its own, with indexes and subtransactions,
// committing in one phase or two, and vacuums, clusters and reindexes them in between.
class TableClient {
public:
    TableClient(int number, uint64_t seed, std::unique_ptr<SqlSession> session, PositionNow now);
    ~TableClient();

    void stop();
    const std::vector<RecordedTransaction>& transactions() const { return transactions_; }
    // Fails the test unless `session`, on a branch made at `position`, shows what it must. Settles
    // the transaction that is prepared there, if there is one: `commits` says how.
    void check(SqlSession& session, uint64_t position, bool commits) const;

    static const char* schema();  // statement that makes what all clients need

private:
    void run();
    void transaction();
    void change_tables();
    void in_subtransactions(const std::string& statement);
    void fill(const std::string& table);
    void maintain();
    std::string pick_table();
    std::string gid(size_t number) const;
    void execute(const std::string& sql);
    size_t settle(SqlSession& session, uint64_t position, size_t count, bool commits) const;

    const int number_;
    std::mt19937_64 random_;
    std::unique_ptr<SqlSession> session_;
    PositionNow now_;
    std::vector<RecordedTransaction> transactions_;
    TablesModel tables_;
    int table_count_ = 0;
    int batch_count_ = 0;
    std::atomic<bool> is_stopping_ = false;
    std::thread thread_;
};

struct RecordedDatabase {
    std::string name;
    uint64_t create_begun = 0;
    uint64_t create_acknowledged = 0;
    uint64_t drop_begun = UINT64_MAX;
    uint64_t drop_acknowledged = UINT64_MAX;
};

// Creates databases by both strategies from the template database "seed", and drops some.
class DatabaseClient {
public:
    DatabaseClient(uint64_t seed, std::unique_ptr<SqlSession> session, PositionNow now);
    ~DatabaseClient();

    void stop();
    const std::vector<RecordedDatabase>& databases() const { return databases_; }
    using Connect = std::function<std::unique_ptr<SqlSession>(const std::string& database)>;
    void check(SqlSession& session, const Connect& connect, uint64_t position) const;

    static constexpr int kSeedRows = 5000;

private:
    void run();

    std::mt19937_64 random_;
    std::unique_ptr<SqlSession> session_;
    PositionNow now_;
    std::vector<RecordedDatabase> databases_;
    std::atomic<bool> is_stopping_ = false;
    std::thread thread_;
};

}  // namespace lb::engine::testing
