"""The documents of all golden cases fit the JSON Schemas in docs/, and hold nothing else.

Usage: schema_test.py SOURCE_DIRECTORY [SCHEMA NDJSON]

With a schema of docs/ and a file of JSON lines, checks these instead.

Knows only the words of JSON Schema that the schemas use, and fails on others.
"""
import json
import pathlib
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
ANNOTATIONS = {"$schema", "$defs", "title", "description"}


def is_of_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check_object(value, schema, root, path):
    for key in schema.get("required", []):
        if key not in value:
            yield f"{path}: lacks {key}"
    for key, item in value.items():
        if "properties" not in schema:
            continue
        if key not in schema["properties"]:
            yield f"{path}: {key} is not in the schema"
        else:
            yield from check(item, schema["properties"][key], root, f"{path}.{key}")


def check(value, schema, root, path):
    """What is wrong with the value, one line each."""
    known = {"$ref", "anyOf", "type", "required", "properties", "items", "pattern", "enum", "minimum"}
    unknown = set(schema) - known - ANNOTATIONS
    assert not unknown, f"schema_test.py does not know {unknown}"
    if "$ref" in schema:
        yield from check(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, path)
        return
    if "anyOf" in schema:
        attempts = [list(check(value, choice, root, path)) for choice in schema["anyOf"]]
        if all(attempts):
            yield from min(attempts, key=len)
        return
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(is_of_type(value, name) for name in names):
        yield f"{path}: {value!r} is not of type {names}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{path}: {value} is less than {schema['minimum']}"
    if isinstance(value, dict):
        yield from check_object(value, schema, root, path)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from check(item, schema["items"], root, f"{path}[{index}]")


def check_lines(source, schema_name, lines_name):
    schema = json.loads((source / "docs" / schema_name).read_text())
    lines = pathlib.Path(lines_name).read_text().splitlines()
    problems = []
    for number, line in enumerate(lines, start=1):
        problems += check(json.loads(line), schema, schema, f"line {number}")
    print("\n".join(problems) or f"{len(lines)} lines fit")
    return 1 if problems or not lines else 0


def main():
    source = pathlib.Path(sys.argv[1])
    if len(sys.argv) > 2:
        return check_lines(source, sys.argv[2], sys.argv[3])
    schema = json.loads((source / "docs/plan.schema.json").read_text())
    documents = sorted((source / "tests/planner/cases").glob("*/plan.json"))
    problems = []
    for document in documents:
        value = json.loads(document.read_text())
        problems += check(value, schema, schema, document.parent.name)
    # A checker that finds nothing wrong with anything would pass too.
    broken = json.loads(documents[0].read_text())
    broken["plan_id"] = "p-xyz"
    broken["more"] = 1
    del broken["project"]
    if len(list(check(broken, schema, schema, "broken"))) != 3:
        problems.append("the checker overlooks what is wrong")
    print("\n".join(problems) or f"{len(documents)} documents fit")
    return 1 if problems or len(documents) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
