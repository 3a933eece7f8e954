import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, verdict } from "../reconnect.js";

test("close codes from 4500 to 4999 mean stop and say why", () => {
  for (const code of [4500, 4501, 4502, 4503, 4505, 4507, 4999]) {
    const { again, why } = verdict(code, "");
    assert.equal(again, false, `${code}`);
    assert.ok(why.length > 0, `${code}`);
  }
});

test("every other close code means come back", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4000, 4001, 4002, 4003, 4004, 4005, 4007, 4499]) {
    assert.equal(verdict(code, "").again, true, `${code}`);
  }
});

test("afterMs is read from the reason and nonsense is not", () => {
  assert.equal(verdict(4001, '{"afterMs":750}').afterMs, 750);
  for (const reason of ["", "going away", "null", '{"afterMs":-5}', '{"afterMs":"soon"}', '{"afterMs":null}']) {
    assert.equal(verdict(4001, reason).afterMs, 0, reason);
  }
});

test("waiting doubles up to the cap and begins again after a reset", () => {
  const backoff = new Backoff({ firstMs: 500, capMs: 15_000, random: () => 1 });
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next()), [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("jitter spreads over the upper half", () => {
  assert.equal(new Backoff({ firstMs: 1000, random: () => 0 }).next(), 500);
  assert.equal(new Backoff({ firstMs: 1000, random: () => 0.5 }).next(), 750);
});

test("the server's afterMs is the least that is waited", () => {
  const backoff = new Backoff({ firstMs: 500, random: () => 1 });
  assert.equal(backoff.next(3000), 3000);
  assert.equal(backoff.next(10), 1000);
});
