// 身份匹配 by keyboard: J and K move between proposals; Y, N, U (or 1, 2, 3) answer the one in hand. The page works without it.
(() => {
  "use strict";

  const ANSWERS = { y: "y", n: "n", u: "u", 1: "y", 2: "n", 3: "u" };
  const open = () => [...document.querySelectorAll("[data-proposal]:not(.decided)")];
  let here = null;

  const take = (card) => {
    if (here) here.classList.remove("here");
    here = card;
    if (!card) return;
    card.classList.add("here");
    card.scrollIntoView({ block: "nearest" });
    card.focus({ preventScroll: true });
  };

  const step = (by) => {
    const cards = open();
    const place = cards.indexOf(here);
    take(cards[Math.max(0, Math.min(cards.length - 1, place < 0 ? 0 : place + by))]);
  };

  const answer = (key) => {
    const button = here && here.querySelector(`[data-key="${key}"]`);
    if (!button) return;
    const reason = here.querySelector("input[name=reason]");
    here.dataset.answer = key;
    if (key !== "y" && !reason.value.trim()) reason.focus();
    else button.click();
  };

  addEventListener("keydown", (event) => {
    // In the reason, Enter gives the answer that asked for it.
    if (event.key === "Enter" && event.target.matches("[data-proposal] input[name=reason]")) {
      event.preventDefault();
      here = event.target.closest("[data-proposal]");
      if (here.dataset.answer) answer(here.dataset.answer);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (ANSWERS[key]) answer(ANSWERS[key]);
    else return;
    event.preventDefault();
  });

  addEventListener("htmx:afterSettle", (event) => {
    const card = event.detail.elt.closest && event.detail.elt.closest("[data-proposal]");
    if (!card) return;
    if (card.classList.contains("decided")) take(open()[0]);
    else { take(card); card.querySelector("input[name=reason]").focus(); } // an answer without its reason
  });

  if (open().length) take(open()[0]);
})();
