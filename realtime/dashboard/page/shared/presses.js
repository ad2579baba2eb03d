// What a press of one of Gradio's controls needs beside Gradio: its turn, another try, and a word where it failed. And what an
// upload needs: whose it is, for Gradio does not say which page sends it.
// Presses that all count (trigger mode "multiple") are sent one after the other, each once the one before is answered: on their
// way together they may overtake one another, and "next event, label 5" would name the event before.
(() => {
  const send = window.fetch, PAUSES_MS = [200, 600, 1500];
  let last = Promise.resolve(), count = 0, own = "";

  window.fetch = function (what, how) {
    const address = String(what?.url ?? what);
    if (/\/gradio_api\/upload(\?|$)/.test(address)) return send.call(this, what, { ...how, headers: { ...how.headers, "X-Mer-Page": own } });
    if (!address.includes("/run/predict")) return send.call(this, what, how);
    const { fn_index: number, session_hash: page } = JSON.parse(how.body), inTurn = counts(number);
    own = page;
    const sent = (inTurn ? last : Promise.resolve()).then(() => insist(what, how, `${page}-${++count}`));
    if (inTurn) last = sent.catch(() => {}); // one that fails holds up no other
    return sent.then((answer) => {
      if (!answer.ok) failed(answer.status);
      return answer;
    });
  };

  function counts(number) {
    return window.gradio_config.dependencies.find(({ id }) => id === number)?.trigger_mode === "multiple";
  }

  // Where the line breaks (another network, a lid that was closed) Gradio loads the page anew and forgets the press: it is sent
  // again, under its name, by which the server knows one that it has had
  async function insist(what, how, name) {
    const headers = new Headers(how.headers);
    headers.set("X-Mer-Press", name);
    for (const pause of [...PAUSES_MS, null]) {
      try {
        const answer = await send(what, { ...how, headers });
        return new Response(await answer.arrayBuffer(), answer); // whole: a body may come later than that of the next press
      } catch (broken) {
        if (pause === null) throw broken;
        await new Promise((go) => setTimeout(go, pause));
      }
    }
  }

  // Gradio itself says nothing of it; where no answer comes at all, it says that the connection is lost
  function failed(status) {
    document.getElementById("mer-failed")?.remove();
    const words = status === 401 ? "You are logged out: reload this page."
      : status < 500 ? "That did not work: reload this page." : "That did not work: the terminal of mer-demo says why.";
    document.body.insertAdjacentHTML("beforeend", `<p id="mer-failed" class="mer-warn" role="alert" popover>${words}</p>`);
    document.getElementById("mer-failed").showPopover();
  }
})();
