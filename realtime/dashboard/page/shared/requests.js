// What a module of the page asks of mer-demo: sent again where the line broke, and a word where it failed.
const PAUSES_MS = [200, 600, 1500];

/**
 * The JSON that is answered; null where there is none, which the person is told.
 * @param {string} address
 * @param {object | null} [body] with one it is a POST
 * @param {AbortSignal} [signal] it is not wanted any more
 */
export async function ask(address, body, signal) {
  const how = body ? { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : { signal };
  for (const pause of [...PAUSES_MS, null]) {
    try {
      const answer = await fetch(address, how);
      if (answer.ok) return await answer.json();
      failed(answer.status);
      return null;
    } catch { // another network, a lid that was closed
      if (signal?.aborted) return null;
      if (pause === null) failed(0);
      else await new Promise((go) => setTimeout(go, pause));
    }
  }
  return null;
}

/** @param {number} status of HTTP; 0: no answer at all */
export function failed(status) {
  document.getElementById("mer-failed")?.remove();
  const words = !status ? "mer-demo does not answer: is it still running? Start it again and reload this page."
    : status === 401 ? "You are logged out: reload this page."
      : status < 500 ? "That did not work: reload this page." : "That did not work: the terminal of mer-demo says why.";
  document.body.insertAdjacentHTML("beforeend", `<p id="mer-failed" class="mer-warn" role="alert" popover>${words}</p>`);
  document.getElementById("mer-failed").showPopover();
}
