// Every press is answered, and in its order. Gradio asks with a request for each (a join), and the answers come over a stream
// that the server closes whenever nothing is under way. Two things go wrong there when presses come fast, and are mended here:
// joins that are on their way together may overtake one another ("next event, label 5" would name the event before), and one
// that the server takes just after it has closed the stream, but before the page knows, is answered into the void.
(() => {
  const LONGEST = 2000; // ms to wait for a sign that the stream is there
  const SETTLED = 20; // ms for Gradio to notice that its stream is closed
  const KEPT = 200; // events of which the stream has spoken
  const send = window.fetch;
  const heard = new Set();
  let last = Promise.resolve(), streams = 0, signs = []; // signs: {of: an event, go}

  window.fetch = function (what, how) {
    const address = String(what?.url ?? what);
    if (address.includes("/queue/data")) {
      streams++;
      return send.call(this, what, how).then(listen, (error) => { closed(); throw error; });
    }
    if (!address.includes("/queue/join")) return send.call(this, what, how);
    const mine = last.then(() => send.call(this, what, how)).then(certain);
    last = mine.catch(() => {}); // one that fails holds up no other
    return mine;
  };

  // Hands the answer to a join on when the stream has spoken of its event, or is closed, so that Gradio opens a new one.
  async function certain(answer) {
    if (!streams || !answer.ok) return answer;
    const { event_id: of } = await answer.clone().json();
    if (!heard.has(of)) await new Promise((go) => { signs.push({ of, go }); setTimeout(go, LONGEST); });
    signs = signs.filter((sign) => sign.of !== of);
    return answer;
  }

  function listen(answer) {
    const reader = answer.body.getReader(), text = new TextDecoder();
    let before = "", open = true;
    const end = () => { if (open) closed(); open = false; };
    const body = new ReadableStream({
      async pull(out) {
        try {
          const { done, value } = await reader.read();
          if (done) { end(); return out.close(); }
          const now = before + text.decode(value, { stream: true });
          before = now.slice(-80); // an event's number may come in two pieces
          for (const [, of] of now.matchAll(/"event_id": ?"(\w+)"/g)) speaks(of);
          out.enqueue(value);
        } catch (error) {
          end();
          out.error(error);
        }
      },
      cancel(why) { end(); return reader.cancel(why); },
    });
    return new Response(body, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
  }

  function speaks(of) {
    heard.delete(of);
    heard.add(of);
    if (heard.size > KEPT) heard.delete(heard.values().next().value);
    signs.filter((sign) => sign.of === of).forEach(({ go }) => go());
  }

  function closed() {
    streams--;
    setTimeout(() => { if (!streams) signs.forEach(({ go }) => go()); }, SETTLED);
  }
})();
