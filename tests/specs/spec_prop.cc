// Laws of the spec reader: the order of tables is irrelevant, reading is deterministic, whatever
// was read keeps its promises, and no text crashes it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "tests/specs/spec_text.h"

namespace lb::specs {
namespace {

using Blocks = std::vector<std::string>;

rc::Gen<std::string> branch_block(int index, int count) {
    return rc::gen::apply(
        [=](int parent, bool is_protected, int choice) {
            std::string text = cat("[branches.b", index, "]\n");
            // Parents come before their children in numbers, so that there is no cycle.
            if (parent < index) text += cat("parent = \"b", parent, "\"\n");
            if (is_protected) text += "protected = true\n";
            if (choice == 1) text += cat("compute = { port = ", 6000 + index, " }\n");
            if (choice == 2) text += "compute = { min_cu = 1.5, listen_addresses = [\"*\"] }\n";
            if (choice == 3) text += cat("at = \"position:", index + 1, "\"\n");
            return text;
        },
        rc::gen::inRange(0, count), rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 5));
}

rc::Gen<std::string> role_block(int index) {
    return rc::gen::apply(
        [=](int group, int limit, int choice) {
            std::string text = cat("[roles.\"r", index, "\"]\nconnection_limit = ", limit, "\n");
            if (group < index) text += cat("member_of = [\"r", group, "\", \"pg_monitor\"]\n");
            if (choice == 1) text += "login = true\npassword = { env = \"SECRET\" }\n";
            if (choice == 2) text += "superuser = true\ninherit = false\n";
            return text;
        },
        rc::gen::inRange(0, 8), rc::gen::inRange(-1, 100), rc::gen::inRange(0, 4));
}

// A valid spec as its blocks, which may stand in any order.
Blocks random_blocks() {
    Blocks blocks = {"[project]\nname = \"shop\"\n"};
    int branches = *rc::gen::inRange(0, 8);
    for (int i = 0; i < branches; ++i) blocks.push_back(*branch_block(i, 2 * branches));
    int roles = *rc::gen::inRange(0, 6);
    for (int i = 0; i < roles; ++i) blocks.push_back(*role_block(i));
    int databases = *rc::gen::inRange(0, 4);
    for (int i = 0; i < databases; ++i) {
        std::string owner = roles == 0 ? "postgres" : cat("r", i % roles);
        blocks.push_back(cat("[databases.d", i, "]\nowner = \"", owner, "\"\n"));
    }
    return blocks;
}

struct Outcome {
    std::optional<ProjectSpec> spec;
    std::string rendered;
};

Outcome read(const std::string& text) {
    DiagnosticSink sink;
    std::optional<ProjectSpec> spec = read_spec(text, "lb.toml", sink);
    RC_ASSERT(spec.has_value() == !sink.has_errors());
    for (const Diagnostic& diagnostic : sink.sorted()) to_json(diagnostic).dump();
    return {std::move(spec),
            render_diagnostics(sink.sorted(), {{"lb.toml", text}}, Colour::kAlways)};
}

// What the planner relies on.
void assert_promises(const ProjectSpec& spec) {
    auto is_sorted_by_name = [](const auto& items) {
        return std::is_sorted(items.begin(), items.end(),
                              [](const auto& a, const auto& b) { return a.name < b.name; });
    };
    RC_ASSERT(is_sorted_by_name(spec.branches) && is_sorted_by_name(spec.roles) &&
              is_sorted_by_name(spec.databases));
    const BranchSpec* root = spec.find_branch(spec.default_branch);
    RC_ASSERT(root != nullptr && root->parent.empty() && root->compute->always_on);
    for (const BranchSpec& branch : spec.branches) {
        RC_ASSERT(branch.span.line > 0U);
        RC_ASSERT(!branch.compute || branch.compute->always_on);
        size_t steps = 0;
        for (const BranchSpec* at = &branch; at != root; at = spec.find_branch(at->parent)) {
            RC_ASSERT(at != nullptr);
            RC_ASSERT(++steps <= spec.branches.size());
        }
    }
    for (const RoleSpec& role : spec.roles) {
        const std::vector<std::string>& groups = role.attributes.member_of;
        RC_ASSERT(std::set(groups.begin(), groups.end()).size() == groups.size());
        RC_ASSERT(role.attributes.password_verifier.empty());
    }
}

RC_GTEST_PROP(ReadSpec, DoesNotCareForTheOrderOfTables, ()) {
    Blocks blocks = random_blocks();
    Outcome first = read(join(blocks, "\n"));
    RC_ASSERT(first.spec.has_value());
    assert_promises(*first.spec);
    for (size_t i = blocks.size(); i > 1; --i) {
        std::swap(blocks[i - 1], blocks[*rc::gen::inRange<size_t>(0, i)]);
    }
    Outcome second = read(join(blocks, ""));
    RC_ASSERT(second.spec.has_value());
    RC_ASSERT(describe(*first.spec) == describe(*second.spec));
}

RC_GTEST_PROP(ReadSpec, IsDeterministic, ()) {
    std::string text = join(random_blocks(), "");
    size_t at = *rc::gen::inRange<size_t>(0, text.size());
    text.erase(at, *rc::gen::inRange<size_t>(1, 20));
    Outcome first = read(text);
    Outcome second = read(text);
    RC_ASSERT(first.rendered == second.rendered);
    RC_ASSERT(first.spec == second.spec);
}

std::string mutated(std::string text) {
    int count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
        size_t at = *rc::gen::inRange<size_t>(0, text.size() + 1);
        size_t length = std::min(*rc::gen::inRange<size_t>(0, 30), text.size() - at);
        switch (*rc::gen::inRange(0, 5)) {
            case 0: text.erase(at, length); break;
            case 1: text.insert(at, text.substr(at, length)); break;
            case 2:
                text.insert(at, *rc::gen::elementOf(Blocks{"\"", "'", "\"\"\"", "[", "]", "{", "}",
                                                           ".", "=", "\n", "#", "\\", "\t", "\r",
                                                           "日", "\x1b", "\xff", "\xef\xbb\xbf"}));
                break;
            case 3: text.insert(at, *rc::gen::string<std::string>()); break;
            case 4:
                if (at < text.size()) text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
                break;
        }
    }
    return text;
}

RC_GTEST_PROP(ReadSpec, NeverCrashes, ()) {
    Outcome outcome = read(mutated(join(random_blocks(), "")));
    RC_ASSERT(is_utf8(outcome.rendered));
    if (outcome.spec) assert_promises(*outcome.spec);
}

// However a spec is broken, the password in it is not shown.
RC_GTEST_PROP(ReadSpec, ShowsNoPassword, ()) {
    static const std::string kSecret = "hunter2hunter2";
    std::string value =
        *rc::gen::elementOf(Blocks{"\"$\"", "'$'", "$", "\"$", "\"\"\"$\"\"\"", "\"\"\"\n$\n\"\"\"",
                                   "[\"$\"]", "[\n\"$\"]", "{ plain = \"$\" }", "{ env = \"$!\" }",
                                   "\"a\"$\"", "\"$\" x", "{ env = \"A\", b = \"$\" }"});
    value.replace(value.find('$'), 1, kSecret);
    Blocks blocks = random_blocks();
    blocks.push_back(cat("[roles.x]\nlogn = 1\npassword = ", value, "\nsuper = 1\n"));
    std::string text = join(blocks, "");
    // Break it elsewhere: by a line of its own that is none of TOML's.
    size_t line = text.find('\n', *rc::gen::inRange<size_t>(0, text.size()));
    std::string junk = *rc::gen::elementOf(
        Blocks{"", "x = \"", "y = [", "z = \"\"\"a", "= 1", "[a", "'''", "{", "w = 1 1", "\x01"});
    if (line != std::string::npos) text.insert(line + 1, junk + "\n");
    RC_ASSERT(read(text).rendered.find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace lb::specs
