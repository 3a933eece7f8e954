#!/usr/bin/env node
// Holds the alert rules and dashboards against Prometheus and against the table of metrics.
//
//   deploy/check-monitoring.mjs                              syntax, unit tests, names
//   deploy/check-monitoring.mjs --live http://127.0.0.1:9090 and which expressions answer there
//
// Needs promtool (Debian: prometheus). docs/operations.md says how to get a live one.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const TABLE = join(here, "../crates/platform/src/telemetry/metric.rs");
const RULES = join(here, "prometheus/rules");
const TESTS = join(here, "prometheus/tests");
const DASHBOARDS = join(here, "grafana/dashboards");
// Made by Prometheus itself.
const OTHERS = ["up"];
const HISTOGRAM_PARTS = /_(bucket|sum|count)$/;
const WORDS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"]);

const files = (folder, ending) => readdirSync(folder).filter((name) => name.endsWith(ending)).map((name) => join(folder, name));

/** Every expression with where it is from; those of rules stand on one line each. */
function expressions() {
  const found = [];
  for (const path of files(RULES, ".yml")) {
    const text = readFileSync(path, "utf8");
    const rules = [...text.matchAll(/- alert: (\w+)\n +expr: (.+)/g)];
    if (rules.length !== text.split("expr:").length - 1) throw new Error(`${path}: an expression is not on the line after its alert`);
    for (const [, alert, expr] of rules) found.push({ place: alert, expr, isAlert: true });
  }
  for (const path of files(DASHBOARDS, ".json")) {
    const { title, panels } = JSON.parse(readFileSync(path, "utf8"));
    for (const panel of panels)
      for (const { expr } of panel.targets)
        found.push({ place: `${title}: ${panel.title}`, expr: expr.replaceAll("$__rate_interval", "1m"), isAlert: false });
  }
  return found;
}

/** The names of metrics in an expression: what is left without labels, ranges, texts and functions. */
function namesIn(expr) {
  const bare = expr
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, " ")
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)/g, " ");
  return [...bare.matchAll(/[a-z_][a-z0-9_]*(?! *\(|[a-z0-9_])/g)].map(([name]) => name).filter((name) => !WORDS.has(name));
}

function known() {
  const table = readFileSync(TABLE, "utf8").split("pub const EVERY")[1].split("\n];")[0];
  return new Set([...table.matchAll(/"([a-z_]+)",/g)].map(([, name]) => name));
}

function promtool(...words) {
  try {
    execFileSync("promtool", words, { stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`promtool ${words.join(" ")}\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

function checkNames(all) {
  const table = known();
  const isKnown = (name) => OTHERS.includes(name) || table.has(name) || table.has(name.replace(HISTOGRAM_PARTS, ""));
  for (const { place, expr } of all) {
    const names = namesIn(expr);
    if (names.length === 0) throw new Error(`${place}: no metric in ${expr}`);
    for (const name of names) if (!isKnown(name)) throw new Error(`${place}: ${name} is not in ${TABLE}`);
  }
}

/** promtool reads rules only, so each expression of a dashboard becomes one. */
function checkSyntax(all) {
  const folder = mkdtempSync(join(tmpdir(), "doran-"));
  try {
    const rules = all.map(({ expr }, index) => `      - { record: "panel:${index}", expr: ${JSON.stringify(expr)} }`);
    const path = join(folder, "panels.yml");
    writeFileSync(path, `groups:\n  - name: panels\n    rules:\n${rules.join("\n")}\n`);
    promtool("check", "rules", path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkTested(all) {
  const tests = files(TESTS, ".yml").map((path) => readFileSync(path, "utf8")).join("\n");
  for (const { place, isAlert } of all)
    if (isAlert && !new RegExp(`alertname: ${place}\\n +exp_alerts:`).test(tests)) throw new Error(`no test fires ${place}`);
}

function checkHandbook(all) {
  const handbook = readFileSync(join(here, "../docs/operations.md"), "utf8");
  for (const { place, isAlert } of all)
    if (isAlert && !handbook.includes(`#### ${place}\n`)) throw new Error(`docs/operations.md has nothing to say on ${place}`);
}

/** An alert is well with no answer; a panel without one shows nothing to anybody. */
async function checkLive(all, base) {
  let silent = 0;
  for (const { place, expr, isAlert } of all) {
    const answer = await (await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expr)}`)).json();
    if (answer.status !== "success") throw new Error(`${place}: ${answer.error}`);
    if (isAlert || answer.data.result.length > 0) continue;
    silent += 1;
    console.log(`no data: ${place}: ${expr}`);
  }
  console.log(`${all.length} expressions asked, ${silent} panels without data`);
}

const all = expressions();
promtool("check", "config", join(here, "prometheus/prometheus.yml"));
promtool("test", "rules", ...files(TESTS, ".yml"));
checkSyntax(all);
checkNames(all);
checkTested(all);
checkHandbook(all);
console.log(`${all.length} expressions are well`);
const live = process.argv.indexOf("--live");
if (live > 0) await checkLive(all, process.argv[live + 1]);
