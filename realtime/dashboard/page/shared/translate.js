// From the English of the sources to another language, by a catalogue: {"3 words": "3 Wörter", "{n} events": "{n} Ereignisse", …}.
const NUMBER = "[-−–+]?\\d[\\d.,:]*";
const HOLE = /\{(\w+)\}/g;
// what sentences and lists are put together with, the loosest first; a catalogue may have its own for each
const JOINTS = ["; ", " · ", " (", ")", ": ", ", "];
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
  const point = new Intl.NumberFormat(language).formatToParts(0.5).find((part) => part.type === "decimal").value;
  const between = /^(zh|ja)/.test(language) ? "" : " ";
  const number = (digits) => (THOUSANDS.test(digits) ? Number(digits.replaceAll(",", "")).toLocaleString(language) : digits.replace(/^([^.]*)\.(?=\d+$)/, `$1${point}`));
  const kept = new Map();

  function translate(/** @type {string} */ text) {
    const bare = text.trim();
    if (!bare) return text;
    const words = found(bare.replace(/\s+/g, " "));
    return words === null ? text : text.replace(bare, () => words);
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
    for (const one of templates) {
      const fits = one.shape.exec(text);
      const words = fits && one.words.replace(HOLE, (_, name) => (name.length > 1 ? translate(fits.groups[name]) : number(fits.groups[name])));
      if (words && words !== text) return words;
    }
    const sentences = text.split(SENTENCES);
    if (sentences.length > 1) return joined(sentences, between);
    const rest = text.endsWith(".") ? found(text.slice(0, -1)) : null;
    if (rest !== null) return rest + (catalogue["."] ?? ".");
    const joint = JOINTS.find((one) => text.includes(one));
    return joint ? joined(text.split(joint), catalogue[joint] ?? joint) : null;
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
  return { shape: new RegExp(`^${shape.join("")}$`, "is"), words, firm: english.replace(HOLE, "").length };
}
