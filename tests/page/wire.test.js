// What Python writes is what the page reads, and the other way round: tests/dashboard/test_live_wire.py checks the same bytes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { address, body, opened, room } from "../../realtime/dashboard/page/live/wire.js";

const { chunks, pictures } = JSON.parse(readFileSync(new URL("wire.json", import.meta.url), "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));

test("a picture of the camera is written as the server reads it", () => {
  for (const { message, data, ...about } of chunks) {
    const made = room(data.length / 2);
    body(made).set(bytes(data));
    address(made, about);
    assert.equal(Buffer.from(made).toString("hex"), message);
  }
  assert.ok(chunks.length > 2);
});

test("a picture of the server is read as it was written", () => {
  for (const { message, head, data } of pictures) {
    const [told, found] = opened(bytes(message).buffer);
    assert.deepEqual(told, head);
    assert.deepEqual(found, bytes(data));
  }
  assert.ok(pictures.length > 1);
});
