// From the English of the sources to another language, by a catalogue: {"3 words": "3 Wörter", "{n} events": "{n} Ereignisse", …}.
const NUMBER = "[-−–+]?\\d[\\d.,:]*";
const HOLE = /\{(\w+)\}/g;
// what sentences and lists are put together with, the loosest first; a catalogue may have its own for each
const JOINTS = ["; ", " · ", ": ", ", "];
const BRACKETS = /^(.*?) \(([^()]*)\)(.*)$/;
const SENTENCES = /(?<=[.!?…]) (?=\S)/;
const DECIMAL = /^[-−+]?\d+\.\d+(?: ?(?:%|s|ms|MB|GB|×))?$/;
const THOUSANDS = /^\d{1,3}(,\d{3})+$/;
const DATE = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d))?$/;
const MOST_KEPT = 2000;

/**
 * A function from a text to what is shown for it: the same where nothing is known of it.
 * @param {Record<string, string>} catalogue `{n}`, one letter, stands for a number; `{name}` for any text, or none, which is translated itself
 * @param {string} language as in <html lang>
 * @returns {(text: string) => string}
 */
export function translator(catalogue, language) {
  const templates = Object.keys(catalogue).filter((english) => english.match(HOLE)).map((english) => template(english, catalogue[english]));
  templates.sort((a, b) => b.firm - a.firm);
  const wordy = templates.filter((one) => one.wordy), bare = templates.filter((one) => !one.wordy); // these fit nearly anything
  const point = new Intl.NumberFormat(language).formatToParts(0.5).find((part) => part.type === "decimal").value;
  const between = /^(zh|ja)/.test(language) ? "" : " ";
  const number = (digits) => (THOUSANDS.test(digits) ? Number(digits.replaceAll(",", "")).toLocaleString(language) : digits.replace(/^([^.]*)\.(?=\d+$)/, `$1${point}`));
  const kept = new Map();

  function translate(/** @type {string} */ text) {
    const bare = text.trim();
    if (!bare) return text;
    const words = found(bare.replace(/\s+/g, " "));
    if (words === null) return text;
    kept.set(words.trim().replace(/\s+/g, " "), null); // it comes back as a change of the page: "2,160 s" is no English number
    return text.replace(bare, () => words);
  }

  function found(text) {
    if (!kept.has(text)) {
      if (kept.size > MOST_KEPT) kept.clear();
      kept.set(text, look(text));
    }
    return kept.get(text);
  }

  // null: not known
  function look(text) {
    for (const one of [text, text[0].toLowerCase() + text.slice(1)]) if (Object.hasOwn(catalogue, one)) return catalogue[one];
    if (DECIMAL.test(text)) return text.replace(".", point);
    const date = DATE.exec(text);
    if (date) return new Date(`${date[1]}T${date[2] ?? "12:00"}`).toLocaleString(language, { dateStyle: "medium", ...(date[2] ? { timeStyle: "short" } : {}) });
    const sentences = text.split(SENTENCES), joint = JOINTS.find((one) => text.includes(one)), brackets = BRACKETS.exec(text);
    const fits = fitting(text, wordy);
    if (fits !== null) return fits;
    if (sentences.length > 1) return joined(sentences, between);
    const rest = text.endsWith(".") ? found(text.slice(0, -1)) : null;
    if (rest !== null) return rest + (catalogue["."] ?? ".");
    if (brackets) return bracketed(brackets);
    return joint ? joined(text.split(joint), catalogue[joint] ?? joint) : fitting(text, bare);
  }

  function fitting(text, among) {
    for (const { shape, words } of among) {
      const fits = shape.exec(text);
      const said = fits && words.replace(HOLE, (_, name) => (name.length > 1 ? translate(fits.groups[name]) : number(fits.groups[name])));
      if (said && said !== text) return said;
    }
    return null;
  }

  function bracketed(/** @type {string[]} */ [, before, inside, after]) {
    const words = [before, inside, after].map((part) => (part.trim() ? found(part.trim()) : null));
    if (words.every((one) => one === null)) return null;
    return `${words[0] ?? before}${catalogue[" ("] ?? " ("}${words[1] ?? inside}${catalogue[")"] ?? ")"}${words[2] === null ? after : after.replace(after.trim(), () => words[2])}`;
  }

  function joined(parts, by) {
    const words = parts.map((part) => (part.trim() ? found(part) : ""));
    return words.some((one, i) => one && parts[i]) ? words.map((one, i) => one ?? parts[i]).join(by) : null;
  }

  return translate;
}

/** @param {string} english @param {string} words */
function template(english, words) {
  const shape = english.split(HOLE).map((part, i) => (i % 2 ? `(?<${part}>${part.length > 1 ? ".*?" : NUMBER})` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return { shape: new RegExp(`^${shape.join("")}$`, "is"), words, firm: english.replace(HOLE, "").length, wordy: /[a-z]{2}/i.test(english.replace(HOLE, "")) };
}
