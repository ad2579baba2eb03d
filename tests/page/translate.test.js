import assert from "node:assert/strict";
import { test } from "node:test";
import { translator } from "../../realtime/dashboard/page/shared/translate.js";

const GERMAN = {
  "too small": "zu klein", "{n} too small": "{n} zu klein", "{n} blink": "{n} Blinzeln", "no face": "kein Gesicht", "{n} of {m} seen": "{n} von {m} gesehen",
  "Judged {n} % of the time{rest}.": "{n} % der Zeit beurteilt{rest}.", "; not: {why}": "; nicht: {why}", "{why} {n} s": "{why} {n} s",
  "{n} {label}": "{n} {label}", "{n} done": "{n} fertig", "1 recording": "1 Aufnahme", "choose one": "wählen Sie eines", "Stopped.": "Angehalten.", "{name} is gone: {why}": "{name} ist weg: {why}", "the latest {n} rows": "die letzten {n} Zeilen",
};
const CHINESE = { "too small": "太小", "no face": "无面部", "stopped": "已停止", "Opening.": "正在打开。", "{n} of {m} seen": "{m} 中的 {n}", ", ": "，", ".": "。", " (": "（", ")": "）" };

test("texts, with or without values, at whatever place of a list or a paragraph", () => {
  const say = translator(GERMAN, "de");
  assert.equal(say("too small"), "zu klein");
  assert.equal(say("\n  too small "), "\n  zu klein ");
  assert.equal(say("Choose one"), "wählen Sie eines");
  assert.equal(say("3 too small, 1 blink"), "3 zu klein, 1 Blinzeln");
  assert.equal(say("1 recording: 1 done."), "1 Aufnahme: 1 fertig.");
  assert.equal(say("1 recording (3 too small, Anna), 2 done"), "1 Aufnahme (3 zu klein, Anna), 2 fertig");
  assert.equal(say("Stopped. 3 of 4 seen."), "Angehalten. 3 von 4 gesehen.");
  assert.equal(say("Judged 81 % of the time; not: no face 2.1 s."), "81 % der Zeit beurteilt; nicht: kein Gesicht 2,1 s.");
});

test("what is not known stays: names, and what a person has written", () => {
  const say = translator(GERMAN, "de");
  for (const text of ["Anna", "clip (1), take 2.mp4", "TensorRT 1.7.1", " "]) assert.equal(say(text), text);
  assert.equal(say("cam.mp4 is gone: the disk"), "cam.mp4 ist weg: the disk");
});

test("numbers and dates as the language has them", () => {
  const say = translator(GERMAN, "de");
  assert.equal(say("0.50"), "0,50");
  assert.equal(say("12.3 s"), "12,3 s");
  assert.equal(say("the latest 108,000 rows"), "die letzten 108.000 Zeilen");
  assert.equal(say(say("Anna, 2.160 s")), "Anna, 2,160 s", "what it has said itself stays");
  assert.match(say("2026-11-27 20:15"), /27\.11\.2026.*20:15/);
});

test("a language may put lists and sentences together in its own way, and values in another order", () => {
  const say = translator(CHINESE, "zh-CN");
  assert.equal(say("no face, too small"), "无面部，太小");
  assert.equal(say("no face (s)"), "无面部（s）");
  assert.equal(say("Opening. stopped."), "正在打开。已停止。");
  assert.equal(say("3 of 4 seen"), "4 中的 3");
});
