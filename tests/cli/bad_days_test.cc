// Bad input and bad days: each has its error and its exit code, and changes nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/codec.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

using BadDays = ShellTest;

constexpr const char* kSmall = R"(
[project]
name = "small"
[databases.app]
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// Does an error leave the state as it was?
class Unchanged {
public:
    explicit Unchanged(const Shell& shell) : shell_(shell), before_(picture()) {}
    ~Unchanged() { EXPECT_EQ(picture(), before_); }
    Unchanged(const Unchanged&) = delete;
    Unchanged& operator=(const Unchanged&) = delete;

private:
    std::string picture() const {
        Json state = shell_.json("lb status --json");
        std::string text = state.find("generation")->dump();
        for (const Json& branch : *state.find("branches")->if_array()) {
            text += cat(" ", branch.find("name")->dump(), branch.find("line")->dump());
        }
        return text + shell_.run("lb plan").out;
    }

    const Shell& shell_;
    std::string before_;
};

TEST_F(BadDays, ASpecWithTwentyMistakes) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    std::string spec = "[project]\nname = \"small\"\n[branches.main]\n";
    for (int mistake = 0; mistake < 20; ++mistake) spec += cat("mistake_", mistake, " = 1\n");
    write_file(shell().path("wrong.toml"), spec);
    Unchanged unchanged(shell());
    std::string said = shell().refused("lb apply --auto-approve -s wrong.toml", 3, "20 errors");
    for (int mistake = 0; mistake < 20; ++mistake) {
        EXPECT_TRUE(has(said, cat("mistake_", mistake))) << mistake;
    }
    ShellResult json = shell().run("lb plan -s wrong.toml --json");
    EXPECT_EQ(json.exit_code, 3);
    EXPECT_EQ(LB_MUST(Json::parse(json.out)).find("diagnostics")->if_array()->size(), 20u);
}

TEST_F(BadDays, NamesThatAreNotAllowed) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    Unchanged unchanged(shell());
    EXPECT_EQ(shell().run("lb branch create \"o'hare\"").exit_code, 3);
    EXPECT_EQ(shell().run("lb branch create 'a\"b'").exit_code, 3);
    EXPECT_EQ(shell().run(cat("lb branch create ", std::string(300, 'x'))).exit_code, 3);
    EXPECT_EQ(shell().run("lb branch create Upper").exit_code, 3);
    EXPECT_EQ(shell().run("lb branch create ''").exit_code, 3);
    shell().refused("lb init elsewhere --name Upper", 3, "LB0302");
    EXPECT_FALSE(std::filesystem::exists(shell().path("elsewhere/lb.toml")));
}

TEST_F(BadDays, MissingPasswordsAreAllNamed) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    write_file(shell().path("secret.toml"), std::string(kSmall) +
                                                "[roles.a]\npassword = { env = \"NOT_SET_A\" }\n"
                                                "[roles.b]\npassword = { env = \"NOT_SET_B\" }\n");
    Unchanged unchanged(shell());
    std::string said = shell().refused("lb apply --auto-approve -s secret.toml", 1, "LB0505");
    EXPECT_TRUE(has(said, "NOT_SET_A")) << said;
    EXPECT_TRUE(has(said, "NOT_SET_B")) << said;
}

TEST_F(BadDays, UnsupportedVersions) {
    shell().write_spec("[project]\nname = \"small\"\npg_version = 9\n");
    shell().refused("lb apply --auto-approve", 3, "pg_version");
    shell().refused("lb status", 1, "LB0300");
}

TEST_F(BadDays, NoPostgres) {
    shell().write_spec(kSmall);
    std::string said = shell().refused(
        cat("LB_POSTGRES_BIN=", shell().path("nowhere"), " lb apply --auto-approve"), 1, "LB0400");
    EXPECT_TRUE(has(said, "help:")) << said;
    shell().refused("lb status", 1, "LB0300");
}

TEST_F(BadDays, NoFuse) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to hide /dev/fuse";
    shell().write_spec(kSmall);
    std::string said = shell().refused(
        "unshare -m sh -c 'mount --bind /dev/null /dev/fuse && lb apply --auto-approve'", 1,
        "LB0605");
    EXPECT_TRUE(has(said, "help:")) << said;
    EXPECT_FALSE(shell().home().daemon_pid().has_value());
    shell().must("lb apply --auto-approve");
}

TEST_F(BadDays, PortInUse) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    write_file(shell().path("listen.py"),
               "import socket, time\n"
               "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
               "print(s.getsockname()[1], flush=True); time.sleep(60)\n");
    shell().must(
        "python3 listen.py > port.txt & echo $! > pid.txt; "
        "while ! [ -s port.txt ]; do sleep 0.05; done");
    std::string port = split(read_file(shell().path("port.txt")), '\n').front();
    write_file(shell().path("port.toml"), std::string(kSmall) +
                                              "[branches.other]\nparent = \"main\"\n"
                                              "compute = { port = " +
                                              port + " }\n");
    {
        Unchanged unchanged(shell());
        std::string said = shell().refused("lb apply --auto-approve -s port.toml", 1, "LB0403");
        EXPECT_TRUE(has(said, port)) << said;
    }
    shell().must("kill $(cat pid.txt)");
    shell().must("lb apply --auto-approve -s port.toml");
}

TEST_F(BadDays, AComputeThatWillNotStart) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    shell().must("lb branch create broken && lb compute start broken && lb compute stop broken");
    std::string line = shell().home().line_of("broken");
    shell().must(cat("echo 'nonsense_setting = 1' >> home/mnt/", line, "/postgresql.conf"));
    std::string said = shell().refused("lb psql -b broken", 1, "LB0402");
    EXPECT_TRUE(has(said, "nonsense_setting")) << said;  // the log's last lines
    EXPECT_TRUE(has(shell().must("lb status"), "failed")) << shell().must("lb status");
    EXPECT_EQ(shell().sql("main", "app", "SELECT 1"), "1");
    shell().must("lb branch delete broken --yes");
}

TEST_F(BadDays, SecondDaemon) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    std::string said = shell().refused("lb serve", 1, "LB0602");
    EXPECT_TRUE(has(said, std::to_string(*shell().home().daemon_pid()))) << said;
    EXPECT_EQ(shell().sql("main", "app", "SELECT 1"), "1");
}

TEST_F(BadDays, HomesThatCannotBeUsed) {
    write_file(shell().path("file"), "");
    shell().refused("lb --home file status", 1, "LB0601");
    shell().must("mkdir full && touch full/something");
    shell().refused("lb --home full status", 1, "LB0601");
    EXPECT_TRUE(
        has(shell().refused(cat("lb --home /tmp/", std::string(100, 'x'), " status"), 1, "LB0601"),
            "shorter"));
    if (geteuid() != 0) return;
    shell().must("mkdir -m 755 other && chown nobody other");
    shell().refused("lb --home other status", 1, "LB0601");
    shell().must("mkdir -m 700 closed");
    EXPECT_TRUE(has(shell().refused("lb --home closed/home status", 1, "LB0601"), "chmod a+x"));
}

TEST_F(BadDays, HomesOfANewerVersion) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve && lb stop");
    const std::string path = shell().path("home/store/SUPER");
    const std::string good = read_file(path);
    std::string newer = good;
    auto* bytes = reinterpret_cast<std::byte*>(newer.data());
    store_little_endian(bytes + 8, load_little_endian<uint32_t>(bytes + 8) + 1);
    const size_t hash_offset = newer.size() - 8;
    store_little_endian(bytes + hash_offset, hash64(ByteView(bytes, hash_offset), 6));
    write_file(path, newer);
    std::string said = shell().refused("lb status", 1, "LB0202");
    EXPECT_TRUE(has(said, "help:")) << said;
    EXPECT_EQ(read_file(path), newer);
    write_file(path, good);
    EXPECT_EQ(shell().sql("main", "app", "SELECT 1"), "1");
}

TEST_F(BadDays, ADamagedStoreIsNotTouched) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve && lb stop");
    const std::string path = shell().path("home/store/SUPER");
    std::string damaged = read_file(path);
    damaged[100] = 'x';
    write_file(path, damaged);
    shell().refused("lb status", 8, "LB0201");
    EXPECT_EQ(read_file(path), damaged);
}

TEST_F(BadDays, AFullDisk) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small file system";
    shell().write_spec(kSmall);
    // A process that was killed may take a moment to be gone.
    const std::string kUnmount =
        "for i in $(seq 100); do umount disk 2>/dev/null && exit 0; "
        "sleep 0.1; done; fuser -vm disk; exit 1";
    shell().must("mkdir -m 711 disk && mount -t tmpfs -o size=40m,mode=711 none disk");
    shell().refused("lb --home disk/home apply --auto-approve", 1, "LB0203");
    shell().run("lb --home disk/home stop");
    shell().must(kUnmount);
    shell().must("mount -t tmpfs -o size=400m,mode=711 none disk");
    shell().must("lb --home disk/home apply --auto-approve");
    const std::string psql = "lb --home disk/home psql -- -XAtqc ";
    shell().must(psql + "'CREATE TABLE t AS SELECT 1 AS i'");
    shell().run("dd if=/dev/zero of=disk/filler bs=1M 2>/dev/null");
    ShellResult filled = shell().run(psql +
                                     "'CREATE TABLE u AS SELECT repeat(md5(i::text), 30) AS x "
                                     "FROM generate_series(1, 1000000) AS i'");
    EXPECT_NE(filled.exit_code, 0) << filled.out;
    // With room again everything goes on, and nothing committed is lost. (A server that could not
    // write its log recovers first.)
    shell().must("rm disk/filler");
    EXPECT_EQ(shell().must(cat("for i in $(seq 100); do ", psql,
                               "'SELECT i FROM t' && break; sleep 0.3; done 2>/dev/null")),
              "1\n");
    shell().must("lb --home disk/home branch create after");
    shell().must("lb --home disk/home stop");
    shell().must(kUnmount);
}

TEST_F(BadDays, NobodyCanBeAsked) {
    shell().write_spec(kSmall);
    shell().refused("lb apply", 64, "lb apply --auto-approve");
    shell().refused("lb status", 1, "LB0300");
}

// script(1) gives the command a terminal.
TEST_F(BadDays, AnswersAtATerminal) {
    shell().write_spec(kSmall);
    EXPECT_EQ(shell().run("(sleep 3; echo n) | script -qec 'lb apply' /dev/null").exit_code, 130);
    shell().refused("lb status", 1, "LB0300");
    ShellResult interrupted =
        shell().run("(sleep 3; printf '\\003') | script -qec 'lb apply' /dev/null");
    EXPECT_EQ(interrupted.exit_code, 130) << interrupted.out;
    shell().refused("lb status", 1, "LB0300");
    ShellResult applied = shell().run("(sleep 3; echo y) | script -qec 'lb apply' /dev/null");
    EXPECT_EQ(applied.exit_code, 0) << applied.out;
    EXPECT_TRUE(has(applied.out, "[y/N]")) << applied.out;
    EXPECT_TRUE(has(shell().must("lb status"), "generation 1"));
}

TEST_F(BadDays, AnotherVersionsClient) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    const std::string curl = cat("curl -s --unix-socket ", shell().path("home/run/lb.sock"), " ");
    std::string said = shell().must(curl + "-H 'Lb-Version: 9.9' http://lb/v1/projects");
    EXPECT_TRUE(has(said, "LB0607")) << said;
    EXPECT_TRUE(has(said, "lb stop")) << said;
    EXPECT_TRUE(has(shell().must(curl + "http://lb/v1/version"), "process_id"));
    shell().must(curl + "-X POST -H 'Lb-Version: 9.9' http://lb/v1/stop");
    shell().must("lb stop");  // waits for it
    EXPECT_FALSE(shell().home().daemon_pid().has_value());
}

TEST_F(BadDays, KilledDaemons) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    shell().sql("main", "app", "CREATE TABLE t (i int)");
    for (int round = 1; round <= 3; ++round) {
        shell().sql("main", "app", "INSERT INTO t SELECT 1");
        pid_t daemon = *shell().home().daemon_pid();
        kill(daemon, SIGKILL);
        EXPECT_EQ(shell().sql("main", "app", "SELECT count(*) FROM t"), std::to_string(round));
        EXPECT_NE(shell().home().daemon_pid(), daemon);
    }
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
}

// Commands that come together start one daemon.
TEST_F(BadDays, ManyFirstCommands) {
    shell().write_spec(kSmall);
    shell().must(
        "for i in 1 2 3 4 5 6; do lb plan > plan.$i & done\n"
        "for job in $(jobs -p); do wait $job || exit 1; done");
    EXPECT_TRUE(shell().home().daemon_pid().has_value());
    EXPECT_EQ(split(shell().must("grep -c 'lb .* serves ' home/log/daemon.log"), '\n').front(),
              "1");
}

TEST_F(BadDays, SignalsStopTheDaemonCleanly) {
    shell().write_spec(kSmall);
    shell().must("lb apply --auto-approve");
    kill(*shell().home().daemon_pid(), SIGHUP);  // ignored
    EXPECT_EQ(shell().sql("main", "app", "SELECT 1"), "1");
    kill(*shell().home().daemon_pid(), SIGTERM);
    shell().must("lb stop");
    EXPECT_TRUE(has(shell().must("tail -n 1 home/log/daemon.log"), "stopped"));
    EXPECT_EQ(shell().run("mountpoint -q home/mnt").exit_code, 32);
}

TEST_F(BadDays, PasswordsShowNowhere) {
    shell().write_spec(std::string(kSmall) +
                       "[roles.app]\nlogin = true\npassword = { env = \"APP_PASSWORD\" }\n");
    // Looks at every process, many times, while the password is in use.
    write_file(shell().path("watch.sh"),
               "while [ -e watching ]; do\n"
               "  cat /proc/[0-9]*/cmdline 2>/dev/null | grep -a -o 'tell-nob[o]dy' && exit 0\n"
               "done\n");
    std::string seen = shell().must(
        "export APP_PASSWORD=tell-nobody; touch watching; bash watch.sh > seen & \n"
        "lb plan > plan.txt; lb apply --auto-approve --json > apply.txt; lb status --json > s.txt\n"
        "rm watching; wait; cat seen");
    EXPECT_EQ(seen, "");
    // Nor do the daemon and PostgreSQL get the environment of the command that started them.
    EXPECT_EQ(shell().run("cat /proc/[0-9]*/environ 2>/dev/null | grep -a -c tell-nob[o]dy").out,
              "0\n");
    shell().must("lb stop");
    EXPECT_EQ(shell().run("grep -rla tell-nobody . --exclude=command.sh").out, "");
    EXPECT_EQ(shell().run("grep -la SCRAM-SHA plan.txt s.txt").out, "");
}

// As root only: a user without privileges, with a /dev/fuse that is open as on most systems.
TEST_F(BadDays, OrdinaryUsersNeedNoRoot) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become an ordinary user";
    shell().write_spec(kSmall);
    write_file(shell().path("as-user.sh"),
               "set -e\nexport LB_HOME=$PWD/user/home\n"
               "lb apply --auto-approve\n"
               "lb psql -- -XAtc 'SELECT 6 * 7'\n"
               "lb branch create preview\n"
               "lb psql -b preview -- -XAtc 'SELECT 7 * 7'\n"
               "lb stop\nstat -c %a user/home\n");
    shell().must("mkdir -m 700 user && chown nobody user && chmod 755 .");
    ShellResult result = shell().run(
        "unshare -m bash -c 'mknod -m 666 fuse c 10 229 && mount --bind fuse /dev/fuse && "
        "setpriv --reuid=nobody --regid=nogroup --clear-groups bash as-user.sh'");
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_TRUE(has(result.out, "42\n")) << result.out;
    EXPECT_TRUE(has(result.out, "49\n")) << result.out;
    EXPECT_TRUE(has(result.out, "700\n")) << result.out;
}

}  // namespace
}  // namespace lb::tests
