// 逐班核对: Enter presses the page's one big button, and the button says what it will do. The page works without it.
(() => {
  "use strict";

  const button = document.querySelector("[data-enter]");
  if (!button) return;
  const words = button.querySelector("[data-words]");
  const usual = words && words.textContent;

  const tell = () => {
    if (!words) return;
    const n = document.querySelectorAll(`input[name="${button.dataset.whenChecked}"]:checked`).length;
    words.textContent = n ? `${button.dataset.wordsChecked}（${n} 人）` : usual;
  };

  addEventListener("change", tell);
  addEventListener("pageshow", tell); // boxes the browser kept on “back”

  addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("a, button, input:not([type=checkbox]), select, textarea")) return;
    event.preventDefault();
    if (!event.repeat && "armed" in button.dataset) button.click();
  });

  // A key pressed twice must not confirm the next class before anybody has seen it.
  setTimeout(() => { button.dataset.armed = ""; }, 500);

  tell();
})();
