"""The OpenAPI document as a judge of exchanges, and of itself.

Schemas are judged by jsonschema; here is only the way from an exchange to its schema.
"""

import json
import re

import jsonschema

from exchanges import decompress

JSON_LENGTH = "inference-header-content-length"
BINARY = "application/octet-stream"
METHODS = ("get", "put", "post", "delete")


def schemas_in(node, path="#"):
    """(where, schema) of every schema with members, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield path, node
        for key, value in node.items():
            yield from schemas_in(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from schemas_in(value, f"{path}/{index}")


def from_text(text, schema):
    """A field's or a parameter's text as the value that its schema means."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text


class Document:
    def __init__(self, text):
        self._whole = json.loads(text)
        self._components = self._whole["components"]
        self._judges = {}
        self.operations = {(method, path): operation
                           for path, item in self._whole["paths"].items()
                           for method, operation in item.items()}
        # Of two patterns that fit a path, the one with words in place of variables is meant.
        self._patterns = sorted(
            ((re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?"), path)
             for path in self._whole["paths"]), key=lambda pair: pair[1].replace("{", "~"))

    def _resolve(self, node):
        reference = node.get("$ref", "") if isinstance(node, dict) else ""
        if not reference:
            return node
        found = self._whole
        for word in reference.removeprefix("#/").split("/"):
            found = found[word]
        return found

    def _complaints(self, value, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self._judges:
            self._judges[key] = jsonschema.Draft202012Validator(
                {**schema, "components": self._components})
        for error in self._judges[key].iter_errors(value):
            yield f"{error.json_path}: {error.message[:300]}"

    def flaws(self):
        """What is wrong with the document itself."""
        seen = set()
        for (method, path), operation in self.operations.items():
            where = f"{method} {path}"
            if method not in METHODS:
                yield f"{where}: no such method"
            if operation["operationId"] in seen:
                yield f"{where}: its operationId is taken"
            seen.add(operation["operationId"])
            named = {each["name"] for each in map(self._resolve, operation.get("parameters", []))
                     if each["in"] == "path"}
            if named != set(re.findall(r"{(\w+)}", path)):
                yield f"{where}: its path's parameters are {named}"
        for where, schema in schemas_in(self._whole):
            if "additionalProperties" not in schema:
                yield f"{where}: does not say whether there may be other members"
        for name, schema in self._components["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
            closed = name not in self._open_names()
            for where, part in schemas_in(schema, name):
                if closed and part["additionalProperties"] is not False:
                    yield f"{where}: an answer's members must all be named"

    def _open_names(self):
        """Schemas that only requests are made of."""
        answers = json.dumps([operation["responses"] for operation in self.operations.values()]
                             + [self._components["responses"]])
        wanted = set(re.findall(r"schemas/(\w+)", answers))
        while True:
            more = {name for each in wanted for name in re.findall(
                r"schemas/(\w+)", json.dumps(self._components["schemas"][each]))}
            if more <= wanted:
                return set(self._components["schemas"]) - wanted
            wanted |= more

    def operation_of(self, exchange):
        """(method, path) of the operation that the exchange is one of; None without one."""
        method = "get" if exchange.method == "HEAD" else exchange.method.lower()
        for pattern, path in self._patterns:
            if pattern.fullmatch(exchange.path):
                return (method, path) if (method, path) in self.operations else None
        return None

    def complaints(self, exchange):
        """What of the exchange the document does not allow."""
        key = self.operation_of(exchange)
        if key is None:
            if exchange.status < 400:
                yield "no such operation is described"
            if exchange.method != "HEAD":
                failure = self._components["responses"]["Failure"]
                yield from self._body_complaints(exchange, failure)
            return
        operation = self.operations[key]
        response = self._resolve(operation["responses"].get(str(exchange.status)))
        if response is None:
            yield f"status {exchange.status} is not described"
            return
        yield from self._field_complaints(exchange, response)
        if exchange.method != "HEAD":
            yield from self._body_complaints(exchange, response)
        if exchange.status < 300:
            yield from self._request_complaints(exchange, operation)

    def _field_complaints(self, exchange, response):
        for name, header in response.get("headers", {}).items():
            text = exchange.answer_fields.get(name.lower())
            if text is None and header.get("required"):
                yield f"field {name} is missing"
            elif text is not None:
                value = from_text(text, header["schema"])
                yield from (f"field {name}: {each}"
                            for each in self._complaints(value, header["schema"]))

    def _body_complaints(self, exchange, response):
        content = response.get("content")
        body = decompress(exchange.answer, exchange.answer_fields.get("content-encoding"))
        if content is None:
            if body:
                yield "a body where none is described"
            return
        kind = exchange.answer_fields.get("content-type", "none").partition(";")[0]
        if kind not in content:
            yield f"Content-Type {kind} is not described"
        elif kind == BINARY:
            yield from self._framed_complaints(
                body, exchange.answer_fields, content["application/json"]["schema"], "outputs")
        elif kind == "application/json":
            yield from self._complaints(json.loads(body), content[kind]["schema"])

    def _framed_complaints(self, body, fields, schema, tensors):
        """Of JSON with binary tensors behind it, which must be as long as the JSON says."""
        length = int(fields.get(JSON_LENGTH, len(body)))
        if length == 0:
            return
        value = json.loads(body[:length])
        yield from self._complaints(value, schema)
        members = value if isinstance(value, dict) else {}
        sizes = sum((each.get("parameters") or {}).get("binary_data_size", 0)
                    for each in members.get(tensors, []))
        if sizes != len(body) - length:
            yield f"{len(body) - length} bytes behind the JSON, which speaks of {sizes}"

    def _request_complaints(self, exchange, operation):
        """What the server has taken although the document does not offer it."""
        parameters = [self._resolve(each) for each in operation.get("parameters", [])]
        given = {"query": dict(exchange.query), "header": exchange.fields}
        # An operation without any passes over what the query says.
        described = {each["name"] for each in parameters if each["in"] == "query"}
        for name in described and given["query"].keys() - described:
            yield f"took the undescribed parameter {name}"
        for each in parameters:
            texts = {name.lower(): text for name, text in given.get(each["in"], {}).items()}
            text = texts.get(each["name"].lower())
            if text is None and each["required"] and each["in"] != "path":
                yield f"did without the parameter {each['name']}"
            elif text is not None:
                value = from_text(text, each["schema"])
                yield from (f"took {each['name']}: {complaint}"
                            for complaint in self._complaints(value, each["schema"]))
        body = operation.get("requestBody", {"content": {}})
        schema = body["content"].get("application/json", {}).get("schema")
        if not exchange.sent:
            if body.get("required") and exchange.sent is not None:
                yield "did without a body"
        elif schema is not None:
            sent = decompress(exchange.sent, exchange.fields.get("content-encoding"))
            yield from (f"took {each}" for each in self._framed_complaints(
                sent, exchange.fields, schema, "inputs"))
        elif not body["content"]:
            yield "took a body that is not described"
