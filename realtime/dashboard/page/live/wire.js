// The bytes of the WebSocket: what live/socket.py reads and live/outbox.py writes.
const VERSION = 1;
const HEADER = 16; // bytes: version, flags, layout, one of padding, size, microseconds
const KEY = 1, FULL_RANGE = 2; // bits of the flags

/** A message with room for a picture of so many bytes. @param {number} bytes */
export const room = (bytes) => new ArrayBuffer(HEADER + bytes);

/** Where its picture goes. @param {ArrayBuffer} message */
export const body = (message) => new Uint8Array(message, HEADER);

/**
 * Writes the head of one picture of the camera.
 * @param {ArrayBuffer} message
 * @param {{microseconds: number, key?: boolean, layout?: number, full?: boolean}} about layout: of a raw picture; full: its range
 */
export function address(message, { microseconds, key = false, layout = 0, full = false }) {
  const head = new DataView(message);
  head.setUint8(0, VERSION);
  head.setUint8(1, (key ? KEY : 0) | (full ? FULL_RANGE : 0));
  head.setUint8(2, layout);
  head.setUint32(4, message.byteLength - HEADER, true);
  head.setBigInt64(8, BigInt(Math.round(microseconds)), true);
}

/** What the server sends beside text: what it is, and its bytes. @param {ArrayBuffer} message @returns {[any, Uint8Array]} */
export function opened(message) {
  const length = new DataView(message).getUint32(0, true);
  return [JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))), new Uint8Array(message, 4 + length)];
}
