#include "tests/engine/campaign_clients.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine::testing {

namespace {

std::set<std::string> texts(SqlSession& session, const std::string& sql) {
    auto rows = session.query(sql);
    if (!rows) {
        ADD_FAILURE() << sql << "\n" << to_text(rows.error());
        return {};
    }
    std::set<std::string> result;
    for (const SqlRow& row : *rows) result.insert(row.front().value_or(""));
    return result;
}

std::string digest(const TableModel& table) {
    int64_t count = 0;
    int64_t sum = 0;
    for (const auto& [number, batch] : table) {
        count += batch.count;
        sum += batch.sum;
    }
    return cat(count, " ", sum);
}

void check_tables(SqlSession& session, int client, const TablesModel& expected) {
    std::set<std::string> names;
    for (const auto& [name, table] : expected) names.insert(name);
    EXPECT_EQ(texts(session, cat("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname "
                                 "LIKE 'client",
                                 client, "\\_%'")),
              names);
    if (::testing::Test::HasFailure()) return;
    for (const auto& [name, table] : expected) {
        EXPECT_EQ(
            query_text(session, cat("SELECT count(*) || ' ' || coalesce(sum(n), 0) FROM ", name)),
            digest(table))
            << name;
    }
}

}  // namespace

// -- Tables
// ----------------------------------------------------------------------------------------

const char* TableClient::schema() {
    return "CREATE TABLE recorded (client int, n int, PRIMARY KEY (client, n));"
           "CREATE TABLE levels (n int)";
}

TableClient::TableClient(int number, uint64_t seed, std::unique_ptr<SqlSession> session,
                         PositionNow now)
    : number_(number), random_(seed), session_(std::move(session)), now_(std::move(now)) {
    thread_ = std::thread([this] { run(); });
}

TableClient::~TableClient() { stop(); }

void TableClient::stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void TableClient::run() {
    while (!is_stopping_ && !::testing::Test::HasFailure()) {
        if (random_() % 6 == 0) {
            maintain();
        } else {
            transaction();
        }
    }
}

void TableClient::execute(const std::string& sql) {
    auto done = session_->query(sql);
    if (!done) ADD_FAILURE() << sql << "\n" << to_text(done.error());
}

std::string TableClient::gid(size_t number) const { return cat("client", number_, "-", number); }

void TableClient::transaction() {
    TablesModel before = tables_;
    size_t number = transactions_.size();
    RecordedTransaction record{.begun = now_()};
    execute("BEGIN");
    execute(cat("INSERT INTO recorded VALUES (", number_, ", ", number, ")"));
    for (uint64_t changes = 1 + random_() % 3; changes > 0; --changes) change_tables();
    uint64_t ending = random_() % 8;
    if (ending == 0) {
        execute("ROLLBACK");
        tables_ = std::move(before);
        return;
    }
    if (ending <= 2) {
        execute(cat("PREPARE TRANSACTION '", gid(number), "'"));
        record.prepared = now_();
        if (random_() % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        record.deciding = now_();
        execute(cat("COMMIT PREPARED '", gid(number), "'"));
    } else {
        execute("COMMIT");
    }
    record.acknowledged = now_();
    record.after = tables_;
    transactions_.push_back(std::move(record));
}

std::string TableClient::pick_table() {
    auto picked = tables_.begin();
    std::advance(picked, static_cast<ptrdiff_t>(random_() % tables_.size()));
    return picked->first;
}

void TableClient::change_tables() {
    uint64_t kind = random_() % 12;
    if (tables_.empty() || (kind <= 1 && tables_.size() < 5)) {
        std::string table = cat("client", number_, "_", ++table_count_);
        execute(cat("CREATE TABLE ", table, " (batch int, n bigint, filler text)"));
        tables_[table];
        fill(table);
        execute(cat("CREATE INDEX ", table, "_n ON ", table, " (n, filler)"));
        execute(cat("ALTER TABLE ", table, " CLUSTER ON ", table, "_n"));
        return;
    }
    std::string table = pick_table();
    TableModel& model = tables_[table];
    if (kind <= 5) {
        fill(table);
    } else if (kind == 6) {
        in_subtransactions(cat("UPDATE ", table, " SET n = n + 1"));
        for (auto& [number, batch] : model) batch.sum += batch.count;
    } else if (kind == 7 && !model.empty()) {
        execute(cat("DELETE FROM ", table, " WHERE batch = ", model.begin()->first));
        model.erase(model.begin());
    } else if (kind == 8) {
        execute(cat("TRUNCATE ", table));
        model.clear();
        fill(table);
    } else if (kind == 9) {
        // Rewrites the table and its indexes.
        execute(cat("ALTER TABLE ", table, " ADD COLUMN added", ++batch_count_,
                    " text DEFAULT clock_timestamp()::text"));
    } else if (kind == 10) {
        execute(cat("CREATE INDEX ON ", table, " (filler, batch)"));
    } else {
        execute(cat("DROP TABLE ", table));
        tables_.erase(table);
    }
}

void TableClient::fill(const std::string& table) {
    int batch = ++batch_count_;
    int64_t count = 1 + static_cast<int64_t>(random_() % 1000);
    in_subtransactions(cat("INSERT INTO ", table, " (batch, n, filler) SELECT ", batch,
                           ", i, repeat(md5(i::text), 3) FROM generate_series(1, ", count,
                           ") AS i"));
    tables_[table][batch] = {.count = count, .sum = count * (count + 1) / 2};
}

// Runs the statement once in vain and once for good, sometimes below more subtransactions than a
// server keeps in memory.
void TableClient::in_subtransactions(const std::string& statement) {
    uint64_t kind = random_() % 3;
    if (kind == 0) return execute(statement);
    execute("SAVEPOINT vain");
    execute(statement);
    execute("ROLLBACK TO SAVEPOINT vain");
    int depth = kind == 1 ? 1 : 70;
    for (int i = 0; i < depth; ++i) {
        execute(cat("SAVEPOINT level", i));
        // A subtransaction without a change of its own has no number.
        if (depth > 1) execute("INSERT INTO levels VALUES (1)");
    }
    execute(statement);
    execute("RELEASE SAVEPOINT level0");
}

void TableClient::maintain() {
    if (tables_.empty()) return;
    std::string table = pick_table();
    switch (random_() % 6) {
        case 0: return execute(cat("VACUUM FULL ", table));
        case 1: return execute(cat("CLUSTER ", table));
        case 2: return execute(cat("REINDEX TABLE CONCURRENTLY ", table));
        case 3: return execute(cat("VACUUM (ANALYZE) ", table));
        case 4: return execute(cat("CREATE INDEX CONCURRENTLY ON ", table, " (batch)"));
        default: return execute("CHECKPOINT");
    }
}

// How many transactions are there once the prepared one, if any, is settled.
size_t TableClient::settle(SqlSession& session, uint64_t position, size_t count,
                           bool commits) const {
    std::set<std::string> prepared = texts(
        session, cat("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'client", number_, "-%'"));
    if (count < transactions_.size()) {
        const RecordedTransaction& next = transactions_[count];
        bool must_be_prepared =
            next.prepared != 0 && next.prepared <= position && position <= next.deciding;
        if (must_be_prepared) {
            EXPECT_TRUE(prepared.contains(gid(count))) << "not prepared";
        }
    }
    // The next one, or one of the last moments that was not acknowledged to the end.
    EXPECT_LE(prepared.size(), 1U);
    if (prepared.empty()) return count;
    EXPECT_EQ(*prepared.begin(), gid(count));
    auto settled =
        session.query(cat(commits ? "COMMIT" : "ROLLBACK", " PREPARED '", *prepared.begin(), "'"));
    EXPECT_TRUE(settled) << to_text(settled.error());
    return commits ? count + 1 : count;
}

void TableClient::check(SqlSession& session, uint64_t position, bool commits) const {
    SCOPED_TRACE(cat("client ", number_));
    size_t count = static_cast<size_t>(std::stoul(
        query_text(session, cat("SELECT count(*) FROM recorded WHERE client = ", number_))));
    size_t acknowledged = 0;
    size_t begun = 0;
    for (const RecordedTransaction& transaction : transactions_) {
        if (transaction.acknowledged <= position) ++acknowledged;
        if (transaction.begun < position) ++begun;
    }
    EXPECT_GE(count, acknowledged) << "acknowledged transactions are missing";
    EXPECT_LE(count, begun) << "there is more than had begun";
    EXPECT_EQ(
        query_text(session,
                   cat("SELECT coalesce(max(n) + 1, 0) FROM recorded WHERE client = ", number_)),
        std::to_string(count))
        << "transactions in the middle are missing";
    count = settle(session, position, count, commits);
    if (::testing::Test::HasFailure()) return;
    check_tables(session, number_, count == 0 ? TablesModel{} : transactions_[count - 1].after);
}

// -- Databases
// -------------------------------------------------------------------------------------

DatabaseClient::DatabaseClient(uint64_t seed, std::unique_ptr<SqlSession> session, PositionNow now)
    : random_(seed), session_(std::move(session)), now_(std::move(now)) {
    thread_ = std::thread([this] { run(); });
}

DatabaseClient::~DatabaseClient() { stop(); }

void DatabaseClient::stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void DatabaseClient::run() {
    std::vector<size_t> present;
    while (!is_stopping_ && !::testing::Test::HasFailure()) {
        RecordedDatabase made{.name = cat("made", databases_.size())};
        made.create_begun = now_();
        auto done = session_->query(cat("CREATE DATABASE ", made.name, " TEMPLATE seed STRATEGY ",
                                        random_() % 2 == 0 ? "wal_log" : "file_copy"));
        if (!done) {
            ADD_FAILURE() << to_text(done.error());
            return;
        }
        made.create_acknowledged = now_();
        present.push_back(databases_.size());
        databases_.push_back(made);
        if (present.size() > 2) {
            auto victim = present.begin() + static_cast<ptrdiff_t>(random_() % present.size());
            RecordedDatabase& dropped = databases_[*victim];
            present.erase(victim);
            dropped.drop_begun = now_();
            done = session_->query(cat("DROP DATABASE ", dropped.name));
            if (!done) ADD_FAILURE() << to_text(done.error());
            dropped.drop_acknowledged = now_();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 300));
    }
}

void DatabaseClient::check(SqlSession& session, const Connect& connect, uint64_t position) const {
    // A drop that was cut short leaves a database that says so (datconnlimit) and cannot be used.
    std::set<std::string> present =
        texts(session, "SELECT datname FROM pg_database WHERE datname LIKE 'made%'");
    std::set<std::string> usable =
        texts(session,
              "SELECT datname FROM pg_database WHERE datname LIKE 'made%' AND datconnlimit <> -2");
    for (const RecordedDatabase& database : databases_) {
        bool must_be_there =
            database.create_acknowledged <= position && position <= database.drop_begun;
        bool must_be_absent =
            position <= database.create_begun || database.drop_acknowledged <= position;
        if (must_be_there) {
            EXPECT_TRUE(usable.contains(database.name)) << database.name;
        }
        if (must_be_absent) {
            EXPECT_FALSE(present.contains(database.name)) << database.name;
        }
        if (!usable.contains(database.name)) continue;
        std::unique_ptr<SqlSession> inside = connect(database.name);
        if (inside == nullptr) continue;
        EXPECT_EQ(query_text(*inside, "SELECT count(*) || ' ' || sum(n) FROM public.seeds"),
                  cat(kSeedRows, " ", kSeedRows * (kSeedRows + 1) / 2))
            << database.name;
    }
}

}  // namespace lb::engine::testing
