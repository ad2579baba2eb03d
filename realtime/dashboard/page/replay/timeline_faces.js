// Box and regions of the face in each frame. An hour has 100,000 frames: they are fetched in blocks, as the person scrubs.
import { shape } from "./timeline_parts.js";

const MOST = 24; // blocks kept in the page
const COLOURS = { judged: "#6fd3c8", not: "#f0c062" }; // as in Live

export class Faces {
  /** size: {block: frames of one, numbers: of each frame}, see replay/faces.py */
  constructor(token, size) {
    Object.assign(this, { token, size, blocks: new Map(), asked: new Map() });
  }

  /** Frame n's numbers; null without a face; undefined while they are on their way: then() is called when they have come. */
  at(n, then) {
    const { block, numbers } = this.size, which = Math.floor(n / block), rows = this.blocks.get(which);
    if (!rows) {
      this.fetch(which).then(() => this.blocks.has(which) && then());
      return undefined;
    }
    const row = rows.subarray((n % block) * numbers, (n % block + 1) * numbers);
    return row.length === 0 || Number.isNaN(row[0]) ? null : row;
  }

  /** So that playing goes on into the next block without a pause. */
  ahead(n) {
    this.fetch(Math.floor((n + this.size.block / 4) / this.size.block));
  }

  fetch(which) {
    if (!this.asked.has(which)) this.asked.set(which, this.get(which));
    return this.asked.get(which);
  }

  async get(which) {
    try {
      const answer = await fetch(`/mer/replay/${this.token}/faces/${which}`);
      if (!answer.ok) return; // there is none after the last
      this.blocks.set(which, new Float32Array(await answer.arrayBuffer()));
    } catch {
      this.asked.delete(which); // the program does not answer, as the queue says: the next frame asks again
    }
    if (this.blocks.size > MOST) {
      const oldest = this.blocks.keys().next().value;
      this.blocks.delete(oldest);
      this.asked.delete(oldest);
    }
  }
}

/** The outlines of one frame as SVG shapes, in shares of the picture. */
export function outlines(row, judged) {
  const stroke = judged ? COLOURS.judged : COLOURS.not, shapes = [];
  const [left, top, right, bottom] = row;
  shapes.push(shape("rect", { class: "mr-facebox", x: left, y: top, width: right - left, height: bottom - top, stroke }));
  for (let i = 4; i + 8 <= row.length && !Number.isNaN(row[i]); i += 8) {
    shapes.push(shape("polygon", { class: "mr-region", points: row.subarray(i, i + 8).join(" "), stroke }));
  }
  return shapes;
}
