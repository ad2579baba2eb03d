import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, lasting, lastUpTo, moment, part, zoomed } from "../../realtime/dashboard/page/replay/arithmetic.js";

test("times are said as people say them", () => {
  assert.equal(clock(2156.251, 2), "35:56.25");
  assert.equal(clock(59.6), "1:00"); // never 0:60
  assert.equal(clock(59.999, 2), "1:00.00");
  assert.equal(clock(0.5, 3), "0:00.500");
  assert.equal(moment(14, 60), "14.00 s");
  assert.equal(moment(14, 3600), "0:14.00");
  assert.deepEqual([0.2, 89, 90, 600].map(lasting), ["1 s", "89 s", "2 min", "10 min"]);
});

test("a frame is found by its time", () => {
  const times = [0, 0.04, 0.08, 0.12], at = (t) => lastUpTo(t, times.length, (i) => times[i]);
  assert.deepEqual([-1, 0, 0.03, 0.04, 0.0799, 0.12, 9].map(at), [0, 0, 0, 1, 1, 3, 3]);
  assert.equal(lastUpTo(1, 0, () => assert.fail("an empty list is not looked at")), 0);
  for (let n = 1; n < 40; n++) for (let t = -1; t <= n; t++) assert.equal(lastUpTo(t, n, (i) => i), Math.min(Math.max(t, 0), n - 1));
});

test("the part that is shown stays in the recording", () => {
  assert.deepEqual(part(5, 10, 60, 1), [5, 15]);
  assert.deepEqual(part(-3, 10, 60, 1), [0, 10]);
  assert.deepEqual(part(55, 10, 60, 1), [50, 60]);
  assert.deepEqual(part(5, 500, 60, 1), [0, 60]);
  assert.deepEqual(part(5, 0.01, 60, 1), [5, 6]);
  assert.deepEqual(part(0, 0.01, 0.4, 1), [0, 0.4]); // shorter than the least
});

test("the moment on screen stays where it is while one zooms", () => {
  for (const by of [0.5, 0.8, 1.25, 2]) for (const t of [20, 25, 30, 39]) {
    const [from, to] = zoomed([20, 40], t, by, 3600, 1);
    assert.ok(Math.abs((t - from) / (to - from) - (t - 20) / 20) < 1e-9, `${by} at ${t}`);
    assert.ok(Math.abs(to - from - 20 * by) < 1e-9);
  }
  assert.deepEqual(zoomed([0, 60], 59, 2, 60, 1), [0, 60]);
});
