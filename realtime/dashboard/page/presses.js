// What a press of one of Gradio's controls needs beside Gradio: its turn, and a word where it failed.
// Presses that all count (trigger mode "multiple") are sent one after the other, each once the one before is answered: on their
// way together they may overtake one another, and "next event, label 5" would name the event before.
(() => {
  const send = window.fetch;
  let last = Promise.resolve();

  window.fetch = function (what, how) {
    if (!String(what?.url ?? what).includes("/run/predict")) return send.call(this, what, how);
    const inTurn = counts(how), sent = (inTurn ? last : Promise.resolve()).then(() => send.call(this, what, how));
    if (inTurn) last = sent.catch(() => {}); // one that fails holds up no other
    return sent.then((answer) => {
      if (!answer.ok) failed(answer.status);
      return answer;
    });
  };

  function counts(how) {
    const { fn_index: number } = JSON.parse(how.body);
    return window.gradio_config.dependencies.find(({ id }) => id === number)?.trigger_mode === "multiple";
  }

  // Gradio itself says nothing of it; where no answer comes at all, it says that the connection is lost
  function failed(status) {
    document.getElementById("mer-failed")?.remove();
    const words = status === 401 ? "You are logged out: reload this page." : "That did not work: the terminal of mer-demo says why.";
    document.body.insertAdjacentHTML("beforeend", `<p id="mer-failed" class="mer-warn" role="alert" popover>${words}</p>`);
    document.getElementById("mer-failed").showPopover();
  }
})();
