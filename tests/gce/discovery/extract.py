#!/usr/bin/env python3
"""Writes compute.v1.json: what the stand-in needs of Google's discovery document of the Compute API.

    pip install google-api-python-client
    python3 tests/gce/discovery/extract.py > tests/gce/discovery/compute.v1.json

The client library carries the document (Apache-2.0). Kept are the methods listed below, the schemas that can be reached
from their requests and responses, and of both what can be checked: names, types, formats, enumerations, patterns, what is
required and what only the server may say. Left out is the prose.
"""

import json
import pathlib

import googleapiclient.discovery_cache

METHODS = [
    "disks.createSnapshot", "disks.delete", "disks.get", "disks.insert", "disks.list", "disks.resize", "disks.setLabels",
    "globalOperations.get", "globalOperations.list", "globalOperations.wait",
    "instances.attachDisk", "instances.delete", "instances.detachDisk", "instances.get", "instances.insert",
    "instances.list", "instances.resume", "instances.setMetadata", "instances.start", "instances.stop", "instances.suspend",
    "routes.delete", "routes.get", "routes.insert", "routes.list",
    "snapshots.delete", "snapshots.get", "snapshots.list",
    "zoneOperations.get", "zoneOperations.list", "zoneOperations.wait",
]

SCHEMA_KEYS = ["$ref", "type", "format", "enum", "pattern", "readOnly", "properties", "additionalProperties", "items"]
PARAMETER_KEYS = ["type", "format", "enum", "pattern", "location", "required"]


def document():
    directory = pathlib.Path(googleapiclient.discovery_cache.__file__).parent / "documents"
    return json.loads((directory / "compute.v1.json").read_text())


def schema(full):
    kept = {key: full[key] for key in SCHEMA_KEYS if key in full}
    if "properties" in kept:
        kept["properties"] = {name: schema(of) for name, of in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = schema(kept[key])
    required = full.get("annotations", {}).get("required", [])
    required = [name for name in required if name.removeprefix("compute.") in METHODS]
    if required:
        kept["requiredBy"] = required
    return kept


def references(kept):
    if isinstance(kept, dict):
        if "$ref" in kept:
            yield kept["$ref"]
        for value in kept.values():
            yield from references(value)


def method(full):
    parameters = {
        name: {key: of[key] for key in PARAMETER_KEYS if key in of} for name, of in full.get("parameters", {}).items()
    }
    kept = {"httpMethod": full["httpMethod"], "path": full["flatPath"], "parameters": parameters}
    for side in ("request", "response"):
        if side in full:
            kept[side] = full[side]["$ref"]
    return kept


def main():
    full = document()
    methods = {}
    for name in METHODS:
        resource, verb = name.split(".")
        methods[f"compute.{name}"] = method(full["resources"][resource]["methods"][verb])
    schemas, waiting = {}, [name for of in methods.values() for name in (of.get("request"), of.get("response")) if name]
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = schema(full["schemas"][name])
            waiting.extend(references(schemas[name]))
    common = {name: {"location": "query", "type": of["type"]} for name, of in full["parameters"].items()}
    kept = {
        "source": "Google's discovery document compute.v1.json, as google-api-python-client carries it (Apache-2.0)",
        "revision": full["revision"],
        "servicePath": full["servicePath"],
        "parameters": common,
        "methods": methods,
        "schemas": dict(sorted(schemas.items())),
    }
    print(json.dumps(kept, indent=None, separators=(",", ":"), sort_keys=False).replace('},"compute.', '},\n"compute.')
          .replace('"schemas":', '\n"schemas":').replace('"methods":', '\n"methods":'))


if __name__ == "__main__":
    main()
