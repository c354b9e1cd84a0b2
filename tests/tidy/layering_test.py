#!/usr/bin/env python3
"""Checks the house rules that a compiler cannot: arrows between modules, who includes which
third-party header, file and function lengths, and what every text file must look like.

Usage: layering_test.py REPOSITORY. Prints each finding as file:line: message; exit 1 if any.
"""
import pathlib
import re
import subprocess
import sys

# docs/architecture.md, "Arrows".
ARROWS = {
    "base": {"base"},
    "specs": {"specs", "base"},
    "planner": {"planner", "specs", "base"},
    "store": {"store", "base"},
    "engine": {"engine", "store", "base"},
    "cli": {"cli", "engine", "planner", "store", "specs", "base"},
    "tests": {"tests", "cli", "engine", "planner", "store", "specs", "base"},
    "fuzz": {"fuzz", "tests", "cli", "engine", "planner", "store", "specs", "base"},
    "bench": {"bench", "tests", "cli", "engine", "planner", "store", "specs", "base"},
}

# A third-party header -> the files that may include it. Everybody else goes through the adapter.
ADAPTERS = [
    (r"rapidjson/", r"base/json_(parse|write)\.cc"),
    (r"xxhash\.h", r"base/hash\.cc"),
    (r"openssl/|stringprep\.h", r"base/(scram|sha256)\.cc"),
    (r"toml\+\+/", r"specs/toml_reader\.cc"),
    (r"rocksdb/", r"store/index_rocksdb\.cc"),
    (r"zstd\.h", r"store/compression_zstd\.cc"),
    (r"fuse(3/|_lowlevel|\.h)", r"store/fuse_[a-z_]*\.cc|store/fuse_internal\.h"),
    (r"liburing", r"store/fuse_uring_queue\.cc"),
    (r"pqxx/|libpq-fe\.h", r"engine/(sql|postgres)[a-z_]*\.cc"),
    (r"git2(\.h|/)", r"engine/git_[a-z_]*\.cc"),
    (r"CLI/", r"cli/options\.cc"),
    (r"microhttpd\.h", r"cli/http_server\.cc"),
    (r"curl/", r"cli/http_client\.cc"),
]

# The planner is pure: it must not even be able to look at the clock or the disk.
PLANNER_FORBIDDEN = {"fstream", "filesystem", "random", "thread", "unistd.h", "cstdio", "iostream",
                     "base/clock.h"}

LINE_MAX = 100
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 100
BANNED_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
BANNED_CALLS = re.compile(r"std::format\b|std::source_location\b|std::views::(filter|transform)\b")

findings = []


def report(path, line, message):
    findings.append(f"{path}:{line}: {message}")


def check_includes(path, text):
    module = path.parts[0]
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not match:
            continue
        header = match.group(1)
        target = header.split("/")[0]
        if "/" in header and target in ARROWS and target not in ARROWS[module]:
            report(path, number, f"{module} must not include {header}")
        for pattern, adapter in ADAPTERS:
            if module not in ("tests", "fuzz", "bench") and re.match(pattern, header):
                if not re.fullmatch(adapter, str(path)):
                    report(path, number, f"{header} belongs to its adapter ({adapter})")
        if module == "planner" and header in PLANNER_FORBIDDEN:
            report(path, number, f"the planner is pure and must not include {header}")


def check_functions(path, text):
    """A function body ends at a '}' in the column of the line that opened it."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r"(    )?[A-Za-z_~].*\{$", line) and "(" in line or (
                start is None and re.match(r" {4,}.*\) (const )?(override )?\{$", line)):
            if not re.match(r"\s*(namespace|class|struct|enum|union|extern)\b", line):
                start, indent = number, len(line) - len(line.lstrip())
        if start is not None and re.match(r"\s*\}", line):
            if len(line) - len(line.lstrip()) == indent and number > start:
                if number - start > FUNCTION_LINES_MAX:
                    report(path, start, f"function of {number - start} lines")
                start = None


def check_source(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        report(path, 1, f"{len(lines)} lines; {FILE_LINES_MAX} are the limit")
    if path.suffix == ".h" and not text.lstrip().startswith("//"):
        report(path, 1, "a header starts with a comment that says what it is for")
    if path.suffix == ".h" and "#pragma once" not in text:
        report(path, 1, "no #pragma once")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX:
            report(path, number, f"{len(line)} columns; {LINE_MAX} are the limit")
        if BANNED_WORDS.search(line):
            report(path, number, "left-over marker; finish it or write an issue")
        if BANNED_CALLS.search(line):
            report(path, number, "not in both compilers (docs/style.md)")
    check_includes(path, text)
    check_functions(path, text)


def check_markdown(path, text):
    in_code = False
    titles = 0
    for line in text.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code and line.startswith("# "):
            titles += 1
    if titles != 1:
        report(path, 1, f"{titles} titles; a document has exactly one")


def check_bytes(path, data):
    if b"\r" in data:
        report(path, 1, "carriage return")
    if b"\t" in data and path.suffix in (".cc", ".h", ".py", ".md"):
        report(path, 1, "tab")
    if data and not data.endswith(b"\n"):
        report(path, 1, "no newline at the end")
    if re.search(rb"[ \t]+\n", data) and path.suffix in (".cc", ".h", ".py"):
        report(path, 1, "white space at the end of a line")


def main():
    root = pathlib.Path(sys.argv[1])
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"],
                            capture_output=True, check=False).stdout.decode().split("\0")
    paths = [pathlib.Path(p) for p in listed if p]
    if not paths:  # an unpacked archive
        paths = [p.relative_to(root) for p in root.rglob("*")
                 if p.is_file() and p.relative_to(root).parts[0] not in ("build", ".git")]
    for path in sorted(paths):
        full = root / path
        if not full.is_file() or "corpus" in path.parts or "cases" in path.parts:
            continue
        data = full.read_bytes()
        if len(data) > 256 * 1024:
            report(path, 1, f"{len(data)} bytes; 256 KiB are the limit")
        if path.suffix not in (".cc", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".toml", ".json"):
            continue
        check_bytes(path, data)
        text = data.decode("utf-8")
        if path.suffix in (".cc", ".h") and path.parts[0] in ARROWS:
            check_source(path, text)
        if path.suffix == ".md":
            check_markdown(path, text)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
