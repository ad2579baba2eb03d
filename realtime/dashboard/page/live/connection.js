// The live tab's WebSocket (the protocol: live/socket.py). It comes back by itself, and says so where it never opens.
import { opened } from "./wire.js";

const PATH = "/mer/live/ws";
const BACKOFF = [500, 1000, 2000, 4000, 8000];
const TRIES = 3; // that fail before a proxy in between is to blame

class Connection {
  constructor() {
    // wanted(): whether to come back; opened(again), lost(seconds until the next try), never(): it cannot be opened at all,
    // told(message), picture(head, bytes). run.js says what happens then
    this.heard = null;
    this.tries = 0;
    this.wasOpen = false;
  }

  // → whether it is open already
  open() {
    clearTimeout(this.timer);
    if (this.socket) return this.isOpen;
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${PATH}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.took(data);
    this.socket.onopen = () => { this.wasOpen = true; this.heard.opened(this.tries > 0); };
    this.socket.onclose = () => this.closed();
    return false;
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  // The server is at work again.
  well() {
    this.tries = 0;
  }

  giveUp() {
    clearTimeout(this.timer);
    this.tries = 0;
  }

  closed() {
    this.socket = null;
    if (!this.heard.wanted()) return;
    this.tries++;
    if (!this.wasOpen && this.tries >= TRIES) return this.heard.never();
    const pause = BACKOFF[Math.min(this.tries, BACKOFF.length) - 1];
    this.heard.lost(pause / 1000);
    this.timer = setTimeout(() => this.open(), pause);
  }

  tell(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  send(bytes) {
    if (this.isOpen) this.socket.send(bytes);
  }

  get waiting() {
    return this.socket?.bufferedAmount ?? 0;
  }

  took(data) {
    if (typeof data === "string") return this.heard.told(JSON.parse(data));
    this.heard.picture(...opened(data));
  }

  close() {
    this.socket?.close();
  }
}

export const connection = new Connection();
