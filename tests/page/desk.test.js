// What Review asks: one thing after the other, each about the event that it says.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Desk } from "../../realtime/dashboard/page/review/desk.js";

const MARKS = { onset_s: 1, apex_s: 1.1, offset_s: 1.3, label: "surprise", action_units: "" };
let sent, breaks, shown;

// a server that knows two events and answers the first request last
beforeEach(() => {
  sent = [], breaks = 0, shown = [];
  globalThis.fetch = async (address, { body, signal }) => {
    const url = new URL(address, "http://here"), what = url.pathname.split("/").at(-1);
    const asked = JSON.parse(body ?? url.searchParams.get("asked"));
    if (what === "pictures") return new Promise((_, no) => signal.addEventListener("abort", () => no(new Error("aborted"))));
    sent.push([what, asked]);
    if (breaks-- > 0) throw new TypeError("the line broke");
    await new Promise((go) => setTimeout(go, sent.length === 1 ? 30 : 0));
    const key = what === "look" && asked.by ? "e2" : (asked.shown ?? asked).key || "e1";
    const events = { e1: { ...MARKS, seen: 0 }, e2: { ...MARKS, label: "fear", seen: 7 } };
    return new Response(JSON.stringify({ table: "", session: 1, source: "a.mp4", key, events, labels: [["negative", ""], ["anger", ""]], undo: 9, new: "m1", person: "" }));
  };
});

const begun = async () => {
  const desk = new Desk("page", { reviewer: () => "Ann", slow: () => true, show: (state, quiet) => shown.push([state.key, quiet]), pictures() {}, busy() {} });
  await desk.look();
  sent.length = 0;
  return desk;
};

test("a key is for the event that is shown by then", async () => {
  const desk = await begun();
  desk.look({ by: 1 });
  await desk.judge({ change: ({ labels }) => ({ label: labels[1][0] }) });
  assert.deepEqual(sent.map(([what, { key }]) => [what, key]), [["look", "e1"], ["judge", "e2"]]);
  assert.deepEqual(sent[1][1].marks, { ...MARKS, label: "anger" });
  assert.equal(sent[1][1].seen, 7);
  assert.deepEqual(shown.map(([key]) => key), ["e1", "e2", "e2"]);
});

test("what was typed is for the event that it was typed for", async () => {
  const desk = await begun(), about = desk.here;
  desk.look({ by: 1 });
  await desk.judge({ change: () => ({ action_units: "4" }), about });
  const [what, asked] = sent[1];
  assert.deepEqual([what, asked.key, asked.shown.key], ["judge", "e1", "e2"]);
  assert.deepEqual(asked.marks, { ...MARKS, action_units: "4" });
  await desk.judge({ change: () => ({ action_units: "" }), about }); // as it was: no word of the reviewer
  assert.equal(sent.length, 2);
});

test("the same is sent again where the line breaks", async () => {
  const desk = await begun();
  breaks = 2;
  await desk.undo();
  assert.equal(sent.length, 3);
  assert.deepEqual(sent[0], sent[2]);
  assert.equal(sent[2][1].review, 9);
});

test("of many looks that nobody has begun, one is enough", async () => {
  const desk = await begun();
  desk.undo();
  for (let i = 0; i < 5; i++) desk.look({}, true);
  await desk.last;
  assert.deepEqual(sent.map(([what]) => what), ["undo", "look"]);
});
