import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Client } from "../client.js";
import { OPERATIONS } from "../operations.js";
import { nameOf, typeText } from "../schema-text.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const MADE = "Made from docs/api/openapi.json by web/tests/client.test.mjs: UPDATE_SCHEMAS=1 node --test web/tests/client.test.mjs";

const place = (name) => new URL(name, import.meta.url);
const api = JSON.parse(readFileSync(place("../../docs/api/openapi.json"), "utf8"));

function operations() {
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method, path, ...methods[method] })));
  return all.sort((one, other) => (one.operationId < other.operationId ? -1 : 1));
}

function table() {
  const lines = operations().map(({ operationId, method, path }) =>
    `  ${operationId}: ["${method.toUpperCase()}", "${path}"],`);
  return `// ${MADE}\n\n/** Method and path of every operation. */\nexport const OPERATIONS = {\n${lines.join("\n")}\n};\n`;
}

function types() {
  const named = Object.entries(api.components.schemas).map(([name, schema]) => `export type ${name} = ${typeText(schema)};\n`);
  const listed = operations().map((operation) =>
    `  ${operation.operationId}: { takes: ${takes(operation)}; gives: ${gives(operation)} };`);
  return `// ${MADE}\n\n${named.join("\n")}\nexport interface Operations {\n${listed.join("\n")}\n}\n`;
}

function takes({ parameters, requestBody }) {
  const parts = ["path", "query"].flatMap((where) => {
    const of = parameters.filter((one) => one.in === where);
    if (of.length === 0) return [];
    const fields = of.map(({ name, required, schema }) => `${name}${required ? "" : "?"}: ${typeText(schema, "  ")}`);
    const isOptional = of.every((one) => !one.required);
    return [`${where}${isOptional ? "?" : ""}: { ${fields.join("; ")} }`];
  });
  const body = requestBody?.content["application/json"]?.schema;
  if (body) parts.push(`body: ${typeText(body, "  ")}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join("; ")} }`;
}

function gives({ responses }) {
  const [, response] = Object.entries(responses).find(([status]) => status.startsWith("2"));
  const data = response.content["application/json"]?.schema?.properties?.data;
  return data === undefined ? "unknown" : typeText(data, "  ");
}

function isCurrent(name, text) {
  if (process.env.UPDATE_SCHEMAS) writeFileSync(place(name), text);
  const committed = existsSync(place(name)) ? readFileSync(place(name), "utf8") : "";
  assert.ok(committed === text, `${name} is not what openapi.json says. ${MADE}`);
}

test("the table of operations is what the document says", () => isCurrent("../operations.js", table()));

test("the types are what the document says", () => isCurrent("../api-types.d.ts", types()));

test("every operation that the page names exists", () => {
  const names = [...readFileSync(place("../api.js"), "utf8").matchAll(/#(?:call|all)\("(\w+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 15, names.join());
  for (const name of names) assert.ok(OPERATIONS[name], name);
});

test("every type that is named exists", () => {
  const named = JSON.stringify(api).matchAll(/"\$ref":"(#\/components\/schemas\/\w+)"/g);
  for (const [, reference] of named) assert.ok(api.components.schemas[nameOf(reference)], reference);
});

test("what is given goes into path, query and body", async () => {
  const calls = [];
  const http = {
    get: async (...call) => { calls.push(call); },
    command: async (...call) => { calls.push(call); },
  };
  const client = new Client(http);
  await client.call("history", { path: { id: "a/b" }, query: { before: 7 }, signal: "signal" });
  await client.call("createRoom", { body: { name: "회의" }, key: "key" });
  await client.call("removeMember", { path: { id: "1", user: "2" }, query: { ban: true } });
  assert.deepEqual(calls, [
    ["/api/chat/rooms/a%2Fb/messages", { before: 7 }, { signal: "signal" }],
    ["POST", "/api/chat/rooms", { body: { name: "회의" }, key: "key" }],
    ["DELETE", "/api/chat/rooms/1/members/2?ban=true", { body: undefined }],
  ]);
});
