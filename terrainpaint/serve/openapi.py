"""The OpenAPI document of the server, made of the tables that it answers from."""

from __future__ import annotations

from collections.abc import Mapping

from terrainpaint import __version__
from terrainpaint.serve.parameters import Parameter, dream_parameters, parameters

TERRAIN, DREAM, DOCUMENT = "/v1/terrain", "/v1/dream", "/openapi.json"
FORMATS, PRESETS, STYLES = "/v1/formats", "/v1/presets", "/v1/styles"
_ERRORS = {
    "400": "A parameter is unknown or has an impossible value.",
    "401": "The token is missing or wrong.",
    "408": "The body did not arrive in time.",
    "411": "The length of the body is missing.",
    "413": "The body, the map or the files would be too large.",
    "422": "The body is not a map or a project.",
    "503": "Too many requests are waiting, the memory is full, or the terrain took too long.",
}


def openapi_document() -> dict[str, object]:
    """The document, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TerrainPaint",
            "version": __version__,
            "description": "Generates texture and heights from a painted map of seven terrain classes.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"token": []}],
        "paths": {
            TERRAIN: {"post": _terrain()},
            DREAM: {"get": _dream()},
            FORMATS: {"get": _listing("formats", "The formats.", ["name", "group", "description", "suffix"])},
            PRESETS: {"get": _listing("presets", "The presets.", ["name", "title", "formats"])},
            STYLES: {"get": _listing("styles", "The installed styles and looks.", ["name", "kind"])},
            DOCUMENT: {
                "get": {
                    "operationId": "document",
                    "summary": "This document.",
                    "security": [],
                    "responses": {"200": {"description": "OpenAPI", "content": {"application/json": {}}}},
                }
            },
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Estimate": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string"}},
                        **{key: {"type": "integer"} for key in ("disk_bytes", "memory_bytes")},
                        **{key: {"type": "number"} for key in ("seconds", "generating_s", "writing_s")},
                    },
                    "required": ["files", "disk_bytes", "memory_bytes", "seconds", "generating_s", "writing_s"],
                },
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string", "description": "One sentence."}},
                    "required": ["error"],
                },
            },
        },
    }


def _terrain() -> dict[str, object]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "operationId": "terrain",
        "summary": "Generate the terrain of a map or a project, and return its files.",
        "description": "The same map, seed, size and style give the same bytes. One terrain is generated at a time.",
        "parameters": _query(parameters()),
        "requestBody": {
            "required": True,
            "description": "A picture in the seven class colours, or a project file.",
            "content": {"application/octet-stream": binary, "image/png": binary},
        },
        "responses": {
            "200": {
                "description": "The file, or a zip file of several; with dry_run, JSON about them.",
                "headers": {
                    "TerrainPaint-Notes": {
                        "description": "JSON list of sentences about what was done with the map.",
                        "schema": {"type": "string"},
                    }
                },
                "content": {
                    "application/octet-stream": binary,
                    "application/zip": binary,
                    "application/json": {"schema": {"$ref": "#/components/schemas/Estimate"}},
                },
            },
            **{status: _error(text) for status, text in _ERRORS.items()},
        },
    }


def _dream() -> dict[str, object]:
    return {
        "operationId": "dream",
        "summary": "Dream a map, which can be sent back for its terrain.",
        "description": "The same parameters give the same map.",
        "parameters": _query(dream_parameters()),
        "responses": {
            "200": {
                "description": "The map, in the seven class colours.",
                "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            },
            **{status: _error(_ERRORS[status]) for status in ("400", "401", "413", "503")},
        },
    }


def _query(table: Mapping[str, Parameter]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "in": "query",
            "description": parameter.meaning,
            "schema": parameter.schema,
            **({"style": "form", "explode": False} if parameter.schema["type"] == "array" else {}),
        }
        for name, parameter in table.items()
    ]


def _listing(name: str, summary: str, keys: list[str]) -> dict[str, object]:
    properties = {key: {"type": "array", "items": {"type": "string"}} if key == "formats" else {"type": "string"}
                  for key in keys}  # fmt: skip
    entry = {"type": "object", "properties": properties, "required": keys}
    schema = {"type": "array", "items": entry}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": schema}}},
            "401": _error(_ERRORS["401"]),
        },
    }


def _error(text: str) -> dict[str, object]:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
