// What lb load finds in a script, without a server.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "engine/load_input.h"
#include "engine/load_report.h"
#include "engine/load_script.h"

namespace lb::engine {
namespace {

std::vector<std::string> skipped(std::string_view script) {
    std::vector<std::string> texts;
    for (const ScriptHead::Piece& piece : read_script_head(script).skipped) {
        texts.push_back(cat(piece.line, ": ", piece.text));
    }
    return texts;
}

using Texts = std::vector<std::string>;

TEST(ScriptHeadTest, SkipsWhatMakesAndEntersADatabase) {
    EXPECT_EQ(skipped("/* a ; comment /* nested */ */\n"
                      "-- another; one\n"
                      "DROP DATABASE IF EXISTS chinook;\n\n"
                      "create\n  database \"semi;colon\" template 'a;b';\n"
                      "\\c chinook;\n"
                      "CREATE TABLE t (x int);\n"),
              (Texts{"3: DROP DATABASE IF EXISTS chinook",
                     "5: create database \"semi;colon\" template 'a;b'", "7: \\c chinook"}));
}

TEST(ScriptHeadTest, UnderstandsPgDumpWithCreate) {
    std::string dump =
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n"
        "SELECT pg_catalog.set_config('search_path', '', false);\n"
        "DROP DATABASE IF EXISTS x;\nCREATE DATABASE x WITH TEMPLATE = template0;\n"
        "ALTER DATABASE x OWNER TO app;\n\\unrestrict abc\n\\connect x\n\\restrict abc\n"
        "ALTER DATABASE x SET work_mem TO '8MB';\n"
        "COMMENT ON DATABASE x IS 'it''s; mine';\n"
        "\\connect x\nSET lock_timeout = 0;\nCREATE SCHEMA s;\n\\connect y\n";
    EXPECT_TRUE(read_script_head(dump).is_pg_dump);
    EXPECT_EQ(skipped(dump).size(), 7u);
    EXPECT_EQ(skipped(dump).back(), "17: \\connect x");
}

TEST(ScriptHeadTest, LeavesEverythingElseAlone) {
    for (const char* script :
         {"", ";", "CREATE TABLE t ();\n\\c other\n", "CREATE DATABASE x;\nCREATE TABLE t ();\n",
          "\\copy t from x\n\\c y\n", "CREATE DATABASE x -- without an end", "SELECT 1;\n\\c y\n",
          "\\i other.sql\n\\c y\n", "CREATE TABLE $$; \\c x\n$$;\n", "'unfinished\n\\c y\n",
          "/* unfinished\n\\c y\n"}) {
        EXPECT_EQ(skipped(script), Texts{}) << script;
    }
    EXPECT_EQ(skipped("\\conninfo\n\\c y\n"), Texts{});
}

TEST(ScriptHeadTest, AByteOrderMarkAndCarriageReturnsDoNotHide) {
    EXPECT_EQ(skipped("\xef\xbb\xbf"
                      "CREATE DATABASE x;\r\n\\c x\r\nCREATE TABLE t ();\r\n"),
              (Texts{"1: CREATE DATABASE x", "2: \\c x"}));
}

Result<std::string> filter(const std::string& script, size_t chunk_bytes) {
    ScriptFilter filter(read_script_head(script));
    std::string out;
    for (size_t at = 0; at < script.size(); at += chunk_bytes) {
        out += LB_TRY(filter.pass(script.substr(at, chunk_bytes)));
    }
    LB_TRY(filter.finish());
    return out;
}

TEST(ScriptFilterTest, BlanksOutAndKeepsLines) {
    EXPECT_EQ(LB_MUST(filter("SET a = 1;\nCREATE\nDATABASE x;\n\\c x\nSELECT 1;\n", 3)),
              "SET a = 1;\n      \n           \n    \nSELECT 1;\n");
    EXPECT_EQ(LB_MUST(filter("\xef\xbb\xbfSELECT 1;\n", 100)), "   SELECT 1;\n");
}

TEST(ScriptFilterTest, RefusesToGoElsewhere) {
    for (const char* end : {"\n", "", " y\n", " y", ";\nSELECT 1;\n", " y\r\n"}) {
        for (const char* command : {"\\c", "\\connect"}) {
            std::string script = cat("SELECT 1;\nSELECT 2;\n", command, end);
            for (size_t chunk : {1u, 2u, 7u, 100u}) {
                auto filtered = filter(script, chunk);
                ASSERT_FALSE(filtered) << script;
                EXPECT_EQ(filtered.error().code, ErrorCode::kLoadFailed);
                EXPECT_NE(filtered.error().message.find("line 3 "), std::string::npos)
                    << filtered.error().message;
            }
        }
    }
    for (const char* harmless : {"SELECT 1;\n\\copy t from x\n", "SELECT 1;\n\\crosstabview\n",
                                 "SELECT ' \\c x';\n", "SELECT 1;\n x \\c\n"}) {
        EXPECT_EQ(LB_MUST(filter(harmless, 5)), harmless);
    }
}

TEST(ScriptFilterTest, NoticesADumpThatIsCutOff) {
    std::string dump = "--\n-- PostgreSQL database dump\n--\nSELECT 1;\n";
    auto filtered = filter(dump, 10);
    ASSERT_FALSE(filtered);
    EXPECT_NE(filtered.error().message.find("cut off"), std::string::npos);
    EXPECT_TRUE(filter(dump + "--\n-- PostgreSQL database dump complete\n--\n", 10));
}

TEST(ScriptFilterTest, EndsAStatementThatDoesNotEndItself) {
    auto end_of = [](const std::string& script) {
        ScriptFilter filter({});
        LB_MUST(filter.pass(script));
        return LB_MUST(filter.finish());
    };
    for (const char* open : {"SELECT 1", "SELECT 1 -- why\n\n", "SELECT 1\n-- done\n  \n"}) {
        EXPECT_EQ(end_of(open), "\n;\n") << open;
    }
    for (const char* complete : {"", "SELECT 1;", "SELECT 1; \n\n-- done\n", "\\.\n", "-- only",
                                 "x\n\\.\n--\n-- PostgreSQL database dump complete\n--\n\n",
                                 "\\unrestrict x", "/* end */\n"}) {
        EXPECT_EQ(end_of(complete), "\n") << complete;
    }
}

RC_GTEST_PROP(ScriptFilterTest, ChunksDoNotMatter, ()) {
    std::string script = *rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
            "CREATE DATABASE x;", "\n", "\\c x", "\\connect", "SELECT 1;", "-- c", "/* ", "*/", "'",
            "\"", "$$", " ", "SET a = 1;", "\\copy", "\xef\xbb\xbf", ";", "\r"})),
        [](const std::vector<std::string>& pieces) { return join(pieces, ""); });
    size_t chunk = *rc::gen::inRange<size_t>(1, 20);
    auto whole = filter(script, script.size() + 1);
    auto pieces = filter(script, chunk);
    RC_PRE(!script.starts_with("\xef\xbb\xbf") || chunk >= 3);
    RC_ASSERT(whole.is_ok() == pieces.is_ok());
    if (whole) {
        RC_ASSERT(*whole == *pieces);
        RC_ASSERT(whole->size() == script.size());
        RC_ASSERT(std::count(whole->begin(), whole->end(), '\n') ==
                  std::count(script.begin(), script.end(), '\n'));
    } else {
        RC_ASSERT(whole.error().message == pieces.error().message);
    }
}

TEST(RecogniseTest, TellsFormatsByTheirContents) {
    EXPECT_EQ(LB_MUST(recognise("SELECT 1;", "f")), LoadFormat::kScript);
    EXPECT_EQ(LB_MUST(recognise("PGDMP\x01\x0e", "f")), LoadFormat::kArchive);
    std::string tar(512, '\0');
    tar.replace(0, 7, "toc.dat").replace(257, 5, "ustar");
    EXPECT_EQ(LB_MUST(recognise(tar, "f")), LoadFormat::kArchive);
    tar.replace(0, 7, "foo.txt");
    struct {
        std::string start;
        const char* says;
    } refused[] = {
        {"", "is empty"},      {"\x1f\x8b\x08", "gzip"},
        {"PK\x03\x04", "zip"}, {"\xff\xfes\0e\0", "UTF-16"},
        {tar, "tar"},          {std::string("a\0b", 3), "neither SQL nor"},
    };
    for (const auto& [start, says] : refused) {
        auto format = recognise(start, "file.x");
        ASSERT_FALSE(format);
        EXPECT_EQ(format.error().code, ErrorCode::kLoadFailed);
        EXPECT_NE(format.error().message.find(says), std::string::npos) << format.error().message;
        EXPECT_NE(format.error().message.find("file.x"), std::string::npos);
        EXPECT_FALSE(format.error().help.empty());
    }
}

TEST(LoadReportTest, FindsTheFirstError) {
    LoadReport report = first_error_in(
        "psql:<stdin>:3: WARNING:  01000: careful\n"
        "psql:<stdin>:12: ERROR:  42P01: relation \"x\" does not exist\n"
        "LINE 1: SELECT * FROM x\n                      ^\n"
        "LOCATION:  parserOpenTable, parse_relation.c:1384\n"
        "psql:<stdin>:13: ERROR:  later\n");
    EXPECT_EQ(report.line, "12");
    EXPECT_EQ(report.state, "42P01");
    EXPECT_EQ(report.message, "relation \"x\" does not exist");
    EXPECT_EQ(report.details, "LINE 1: SELECT * FROM x\n                      ^");

    report = first_error_in(
        "pg_restore: while PROCESSING TOC:\n"
        "pg_restore: from TOC entry 215; 1259 16385 TABLE t app\n"
        "pg_restore: error: could not execute query: ERROR:  relation \"t\" already exists\n"
        "Command was: CREATE TABLE t ();\n");
    EXPECT_EQ(report.line, "");
    EXPECT_EQ(report.message, "relation \"t\" already exists");
    EXPECT_EQ(report.details, "Command was: CREATE TABLE t ();");

    EXPECT_EQ(first_error_in("psql:<stdin>:5: error: invalid command \\foo\n").message,
              "invalid command \\foo");
    EXPECT_EQ(first_error_in("nothing wrong\n").message, "");
}

}  // namespace
}  // namespace lb::engine
