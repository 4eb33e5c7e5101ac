"use strict";

// A plate keyboard: the province first, a letter second, then letters and digits; the eighth place is a new-energy plate's.
document.querySelectorAll("[data-plate-form]").forEach((form) => {
  const field = form.elements.text;
  const boxes = form.querySelector("[data-boxes]");
  const keys = form.querySelector("[data-keys]");
  const pages = [...keys.querySelectorAll("[data-page]")];
  const energy = document.documentElement.lang === "en" ? "EV" : "新能源";

  const show = (name) => pages.forEach((page) => { page.hidden = page.dataset.page !== name; });
  const draw = () => {
    const typed = [...field.value];
    boxes.replaceChildren(...Array.from({ length: 8 }, (_, place) => {
      const box = document.createElement("span");
      box.textContent = typed[place] || (place === 7 ? energy : "");
      box.classList.toggle("next", place === typed.length);
      box.classList.toggle("energy", place === 7);
      box.classList.toggle("full", Boolean(typed[place]));
      return box;
    }));
    show(typed.length === 0 ? "province" : "serial");
    const second = typed.length === 1;
    keys.querySelectorAll("[data-page=serial] [data-plate-key]").forEach((key) => {
      key.disabled = typed.length >= 8 || (second && typed[0] !== "使" && /\d/.test(key.dataset.plateKey));
    });
  };

  form.classList.add("keyed");
  boxes.hidden = keys.hidden = false;
  field.readOnly = true;
  field.tabIndex = -1;
  keys.addEventListener("click", (event) => {
    const to = event.target.closest("[data-page-to]");
    if (to) { show(to.dataset.pageTo); return; }
    const key = event.target.closest("[data-plate-key]");
    if (!key) return;
    const pressed = key.dataset.plateKey;
    if (pressed === "clear") field.value = "";
    else if (pressed === "back") field.value = [...field.value].slice(0, -1).join("");
    else if ([...field.value].length < 8) field.value += pressed;
    draw();
  });
  draw();
});
