// A JSON Schema in the notation of TypeScript, for people to read and for types to be made of.

const DEEPER = "  ";

/** The type that a schema describes; named schemas are named. */
export function typeText(schema, indent = "") {
  if (schema === true || schema === undefined || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return nameOf(schema.$ref);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(choices.map((choice) => typeText(choice, indent)));
  if (Array.isArray(schema.type)) {
    return union(schema.type.map((type) => typeText({ ...schema, type }, indent)));
  }
  switch (schema.type) {
    case "object": return objectText(schema, indent);
    case "array": return `Array<${typeText(schema.items, indent)}>`;
    case "integer": return "number";
    case undefined: return "unknown";
    default: return schema.type;
  }
}

export function nameOf(reference) {
  return reference.split("/").at(-1);
}

function objectText({ properties, required = [] }, indent) {
  if (!properties) return "Record<string, unknown>";
  const inner = indent + DEEPER;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const note = schema.description ? `${inner}/** ${schema.description.replaceAll("\n", " ")} */\n` : "";
    return `${note}${inner}${name}${required.includes(name) ? "" : "?"}: ${typeText(schema, inner)};`;
  });
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n${indent}}`;
}

function union(types) {
  return [...new Set(types)].join(" | ");
}
