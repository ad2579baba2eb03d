// Keys come faster than answers. The page asks with a request of its own for each, and requests that are on their way together
// may overtake one another: "next event, label 5" would name the event before. So each is sent when the one before has arrived.
(() => {
  const send = window.fetch;
  let last = Promise.resolve();
  window.fetch = function (what, how) {
    if (!String(what?.url ?? what).includes("/queue/join")) return send.call(this, what, how);
    const mine = last.then(() => send.call(this, what, how));
    last = mine.catch(() => {}); // one that fails holds up no other
    return mine;
  };
})();
