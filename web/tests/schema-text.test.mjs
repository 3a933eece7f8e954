import assert from "node:assert/strict";
import { test } from "node:test";
import { typeText } from "../schema-text.js";

test("a schema is written as a type", () => {
  const cases = [
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ $ref: "#/components/schemas/Room" }, "Room"],
    [{ anyOf: [{ $ref: "#/components/schemas/Message" }, { type: "null" }] }, "Message | null"],
    [{ enum: ["a", "b"] }, '"a" | "b"'],
    [{ const: true }, "true"],
    [{ type: "array", items: { type: ["string", "null"] } }, "Array<string | null>"],
    [{ type: "object", additionalProperties: true }, "Record<string, unknown>"],
    [true, "unknown"],
  ];
  for (const [schema, expected] of cases) assert.equal(typeText(schema), expected);
});

test("fields that may be missing, and what is said of them, are kept", () => {
  const schema = {
    type: "object",
    required: ["id"],
    properties: { id: { type: "string" }, page: { type: "object", properties: { limit: { type: "integer", description: "How many." } } } },
  };
  assert.equal(typeText(schema), "{\n  id: string;\n  page?: {\n    /** How many. */\n    limit?: number;\n  };\n}");
});
