// Behaviour that hangs on data- attributes; every page works without it.
(() => {
  "use strict";

  const copied = (button) => {
    const words = button.querySelector("[data-words]") || button;
    const before = words.textContent;
    words.textContent = "已复制";
    setTimeout(() => { words.textContent = before; }, 1500);
  };

  addEventListener("click", (event) => {
    const button = event.target.closest("[data-print],[data-copy]");
    if (!button) return;
    if ("print" in button.dataset) window.print();
    else navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim()).then(() => copied(button));
  });

  // A dangerous step says what will happen before it is sent. The button's words win over the form's.
  addEventListener("submit", (event) => {
    const words = (event.submitter && event.submitter.dataset.confirm) || event.target.dataset.confirm;
    if (words && !confirm(words)) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    const button = event.submitter;
    if (event.target.method === "post" && button && !event.target.hasAttribute("hx-post")) {
      setTimeout(() => { button.disabled = true; }); // after the browser has read the form: no second click
      setTimeout(() => { button.disabled = false; }, 8000);
    }
  }, true);

  addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.submit !== undefined) field.form.requestSubmit();
    if (field.dataset.checkAll) {
      for (const box of document.getElementsByName(field.dataset.checkAll)) if (!box.disabled) box.checked = field.checked;
    }
    if (field.type === "checkbox") countChecked();
  });

  // <b data-count-checked="name"> shows how many rows a bulk action will touch; buttons inside [data-needs] wait for one.
  const countChecked = () => {
    for (const place of document.querySelectorAll("[data-count-checked]")) {
      const n = document.querySelectorAll(`input[name="${place.dataset.countChecked}"]:checked`).length;
      place.textContent = n;
      const form = place.closest("[data-needs]");
      if (form) for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = n === 0;
    }
  };

  // <label data-dropzone><input type="file"> … <span class="picked"></span></label>
  const dropzones = () => {
    for (const zone of document.querySelectorAll("[data-dropzone]:not([data-ready])")) {
      zone.dataset.ready = "1";
      const input = zone.querySelector("input[type=file]");
      const picked = zone.querySelector(".picked");
      const show = () => {
        const size = (file) => (file.size < 1e6 ? `${Math.ceil(file.size / 1024)} KB` : `${(file.size / 1048576).toFixed(1)} MB`);
        if (picked) picked.textContent = [...input.files].map((file) => `${file.name}（${size(file)}）`).join("、");
      };
      input.addEventListener("change", show);
      show(); // a file chosen before this script ran, or kept by the browser on “back”
      for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
      for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
      zone.addEventListener("drop", (event) => {
        event.preventDefault();
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      });
    }
  };

  const wake = () => { dropzones(); countChecked(); };
  wake();
  addEventListener("htmx:afterSettle", wake);
  addEventListener("pageshow", wake); // boxes the browser kept on “back”
})();
