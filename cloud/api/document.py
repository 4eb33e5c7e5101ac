"""The OpenAPI 3.1 document, written from the very table that serves the calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cloud.api.operation import BASE, Operation
from cloud.api.schema import Schema, text

PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "RFC 9457: code is stable, title and detail are for people",
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "facts": {"type": "object"},
        "faults": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["type", "status", "code", "title", "detail", "request_id"],
    "additionalProperties": False,
}
FAILURES: Final = {
    "400": "no JSON",
    "401": "no key, or one that is not good (any more)",
    "403": "the key does not have the scope, or the call is the operator's alone",
    "404": "not there, or another tenant's",
    "409": "refused: code says why, nothing was changed",
    "413": "too large",
    "422": "a value makes no sense (faults), or the Idempotency-Key came before with another body (key_reused)",
    "429": "too many calls; Retry-After says for how many seconds",
}
KEY_HEADER: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body again within 72 hours gets the first answer and does nothing.",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"},
}


def document(operations: Sequence[Operation], url: str) -> dict[str, Any]:
    """The whole interface at *url*."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lotgate", "version": "1"},
        "servers": [{"url": url.rstrip("/") + BASE}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(operation.status): _success(operation)} | _failures(operation),
        "security": [] if operation.scope is None else [{"key": []}],
    }
    if operation.scope is not None:
        described["x-scope"] = operation.scope.value
        described["x-for-merchants"] = operation.for_merchants
    parameters = _parameters(operation)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        is_needed = bool(operation.body.get("required"))
        described["requestBody"] = {"required": is_needed, "content": {"application/json": {"schema": operation.body}}}
    return described


def _parameters(operation: Operation) -> list[Schema]:
    within = [{"name": name, "in": "path", "required": True, "schema": each} for name, each in operation.within.items()]
    query = [{"name": name, "in": "query", "schema": each} for name, each in operation.query.items()]
    return [*within, *query, *([KEY_HEADER] if operation.moves_money else [])]


def _success(operation: Operation) -> Schema:
    answer: Schema = {
        "description": operation.summary,
        "content": {"application/json": {"schema": operation.answer}},
    }
    if operation.is_paged:
        answer["headers"] = {
            "X-Total-Count": {
                "description": "rows on all pages; left out where more than 10,000 follow this one",
                "schema": {"type": "integer"},
            },
            "Link": {"description": "RFC 8288, rel next and prev", "schema": text()},
        }
    return answer


def _failures(operation: Operation) -> Schema:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    without = set() if operation.body is not None else {"400", "413"}
    return {
        status: {"description": why, "content": problem} for status, why in FAILURES.items() if status not in without
    }
