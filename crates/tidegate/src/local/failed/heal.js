// Asks the gateway whether the page's path is back, less and less often, and loads the page again when it is.
// A page that answered a form is never loaded again: that would send the form a second time.
(function () {
  var main = document.querySelector("main[data-ready]");
  if (!main || !window.fetch) return;
  var next = document.getElementById("next");
  var key = "tidegate:" + location.pathname;
  var round = rounds();
  var timer;

  // How often this page came back to be the same: a route that only seems to be back is asked for less and less.
  function rounds() {
    try {
      var kept = JSON.parse(sessionStorage.getItem(key) || "null");
      return kept && Date.now() - kept.at < 60000 ? kept.round : 0;
    } catch (error) { return 0; }
  }
  function remember() {
    try { sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), round: round })); } catch (error) { /* private mode */ }
  }
  function later() {
    var most = Math.min(30000, 1000 * Math.pow(1.6, round++));
    timer = setTimeout(ask, most / 2 + Math.random() * most / 2);
  }
  function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    fetch(main.dataset.ready, { cache: "no-store", credentials: "omit" }).then(function (answer) {
      if (answer.status !== 204) return later();
      if (main.dataset.repeatable === "true") {
        remember();
        location.reload();
      } else {
        next.textContent = "The site answers again. Please go back and send your form once more.";
      }
    }, later);
  }
  document.addEventListener("visibilitychange", ask);
  window.addEventListener("online", ask);
  later();
})();
