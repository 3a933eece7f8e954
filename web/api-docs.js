// The page at /api/docs: shows what /api/openapi.json says, and nothing of its own.

import { nameOf, typeText } from "./schema-text.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

const main = document.querySelector("#api");
try {
  const response = await fetch("/api/openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  show(await response.json());
} catch (error) {
  main.textContent = `The document cannot be shown: ${error.message}`;
}

function show(api) {
  const filter = node("input", { type: "search", placeholder: "Filter by path or name", ariaLabel: "Filter" });
  const groups = Map.groupBy(operations(api), (operation) => operation.tag);
  const sections = [...groups].map(([tag, list]) => node("section", {}, node("h2", {}, tag), ...list.map((one) => one.element)));
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase();
    for (const one of [...groups.values()].flat()) one.element.hidden = !one.text.includes(words);
  });
  main.replaceChildren(
    node("h1", {}, `${api.info.title} API`),
    node("p", {}, api.info.description, " ", node("a", { href: "/api/openapi.json" }, "openapi.json"), ", ", node("a", { href: "/api/asyncapi.json" }, "asyncapi.json")),
    filter,
    ...sections,
    node("section", {}, node("h2", {}, "Types"), ...Object.entries(api.components.schemas).map(([name, schema]) => namedType(name, schema))),
  );
  document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
}

function operations(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => {
      const operation = methods[method];
      return {
        tag: operation.tags[0],
        text: `${method} ${path} ${operation.operationId} ${operation.summary}`.toLowerCase(),
        element: operationElement(api, method, path, operation),
      };
    }));
}

function operationElement(api, method, path, operation) {
  const follow = (value) => (value.$ref ? value.$ref.slice(2).split("/").reduce((part, key) => part[key], api) : value);
  const parameters = operation.parameters.map(follow);
  const details = node("details", { id: operation.operationId },
    node("summary", {}, node("span", { className: "method" }, method.toUpperCase()), node("code", {}, path), node("span", { className: "title" }, operation.summary)),
    node("p", {}, operation.description ?? "", operation.security.length > 0 ? " Needs an access token." : ""),
  );
  if (parameters.length > 0) {
    details.append(table(["Parameter", "In", "Type", ""], parameters.map((one) =>
      [one.name + (one.required ? "" : "?"), one.in, typeText(one.schema), one.description ?? ""])));
  }
  for (const [media, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
    details.append(node("h4", {}, `Body, ${media}`), node("pre", {}, typeText(schema)));
  }
  details.append(table(["Status", "Answer"], Object.entries(operation.responses).map(([status, response]) =>
    [status, answerText(follow(response))])));
  return details;
}

/** What is in the envelope, or what a refusal is called. */
function answerText(response) {
  const [media, content] = Object.entries(response.content ?? {})[0] ?? [];
  const { data, success } = content?.schema?.properties ?? {};
  if (success?.const === true) return `data: ${typeText(data)}`;
  return media === "application/json" && content.schema ? response.description : media ?? "";
}

function namedType(name, schema) {
  return node("details", { id: nameOf(name) }, node("summary", {}, node("code", {}, name)), node("p", {}, schema.description ?? ""), node("pre", {}, typeText(schema)));
}

function table(heads, rows) {
  const row = (kind, cells) => node("tr", {}, ...cells.map((cell) => node(kind, {}, node(kind === "td" ? "code" : "span", {}, cell))));
  return node("table", {}, row("th", heads), ...rows.map((cells) => row("td", cells)));
}

function node(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
