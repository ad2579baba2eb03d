import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, counted, missed, percent } from "../../realtime/dashboard/page/live/words.js";

test("figures in words", () => {
  assert.equal(clock(75.34), "1:15.3");
  assert.equal(clock(59.96), "1:00.0");
  assert.equal(percent(0.316), "32 %");
  assert.equal(counted({ blink: 1, "too small": 3, talking: 0 }, String), "3 too small, 1 blink");
  assert.equal(counted({ "the encoder is slow": 1, "the browser is slow": 2 }, missed), "3 this browser is too busy");
});
