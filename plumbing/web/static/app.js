// What the pages do beyond HTML: ask twice, send once, change by themselves, type by touch.
"use strict";

const confirmDialog = document.getElementById("confirm");
const page = document.getElementById("main");
const DOUBLE_TAP_MS = 500;
const SILENT_MS = 12000; // the server beats every 5 s

function askTwice(form, submitter) {
  const beneath = form.closest("dialog") || page;
  const title = confirmDialog.querySelector("[data-title]");
  const yes = confirmDialog.querySelector("[data-yes]");
  title.textContent = form.dataset.confirmTitle || title.dataset.default;
  const typed = (all, name) => (form.elements[name] ? form.elements[name].value.trim() || "0" : all);
  confirmDialog.querySelector("[data-body]").textContent = form.dataset.confirm.replace(/\{(\w+)\}/g, typed);
  yes.textContent = form.dataset.confirmYes || yes.dataset.default;
  yes.className = "button " + (form.dataset.confirmTone || "primary");
  confirmDialog.returnValue = "no";
  confirmDialog.onclose = () => {
    setTimeout(() => {
      beneath.inert = false;
      if (submitter) submitter.focus();
    }, DOUBLE_TAP_MS);
    if (confirmDialog.returnValue !== "yes") return;
    form.dataset.confirmed = "1";
    form.requestSubmit(submitter);
    delete form.dataset.confirmed;
  };
  beneath.inert = true; // the second tap of a double tap would fall through onto what lies there, before it is sent
  confirmDialog.showModal();
}

function sendOnce(form, event) {
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => enable(form, false), 0); // after the pressed button has become part of the data
  setTimeout(() => allowAgain(form), 15000);
}

function allowAgain(form) {
  delete form.dataset.sent;
  enable(form, true);
}

function enable(form, on) {
  form.querySelectorAll("button:not([type=button])").forEach((button) => (button.disabled = !on));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.closest(".stale[data-holds], .outdated[data-holds]")) {
    event.preventDefault(); // nobody charges or opens by figures of before
  } else if (form.dataset.confirm && !form.dataset.confirmed) {
    event.preventDefault();
    askTwice(form, event.submitter || undefined);
  } else if (form.method === "post") {
    sendOnce(form, event);
  }
});

document.addEventListener("error", (event) => replaceMissing(event.target), true);

document.querySelectorAll("img[data-missing]").forEach((picture) => {
  if (picture.complete && !picture.naturalWidth) replaceMissing(picture);
});

// A picture that did not come is a sentence that says so.
function replaceMissing(picture) {
  if (!(picture instanceof HTMLImageElement) || !picture.dataset.missing) return;
  const words = document.createElement("p");
  words.className = "note";
  words.textContent = picture.dataset.missing;
  picture.replaceWith(words);
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(allowAgain);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key) press(key);
  if (event.target.closest("[data-back]")) history.back();
  if (event.target.closest("[data-print]")) window.print();
  closeMenus((menu) => !menu.contains(event.target));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(() => true);
});

// A form of another page, over this one; without script, or where it cannot be had, the link leads to that page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(link).catch(() => (location.href = link.href));
});

async function openDialog(link) {
  const answer = await fetch(link.href);
  if (!answer.ok || answer.redirected) throw new Error("no such page");
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = found.querySelector(link.hash ? `#main ${link.hash}` : "#main form").closest("section");
  part.querySelectorAll("form:not([action])").forEach((form) => (form.action = link.href));
  const dialog = document.createElement("dialog");
  dialog.className = "over";
  dialog.onclose = () => dialog.remove();
  dialog.append(part);
  part.querySelectorAll("form").forEach((form) => addCancel(form, () => dialog.close()));
  document.body.append(dialog);
  dialog.querySelectorAll("[name=remark][maxlength]").forEach(countTyped);
  dialog.showModal();
}

// In a dialog a form's button stands at the right, after one that leaves everything as it is.
function addCancel(form, leave) {
  const row = document.createElement("div");
  row.className = "actions";
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "button";
  cancel.textContent = confirmDialog.querySelector("[value=no]").textContent;
  cancel.onclick = leave;
  const send = form.querySelector("button");
  send.classList.remove("block");
  send.replaceWith(row);
  row.append(cancel, send);
}

// Tabs wider than a phone: the one that is open is in sight.
function showTabs() {
  document.querySelectorAll("nav.filters .button.primary").forEach((tab) => {
    tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  });
}

addEventListener("resize", showTabs);
showTabs();

function closeMenus(which) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (which(menu)) menu.open = false;
  });
}

function press(key) {
  const pad = key.closest("[data-keypad]");
  const field = (pad.closest("form") || document).querySelector(`[name="${CSS.escape(pad.dataset.keypad)}"]`);
  const pressed = key.dataset.key;
  if (pressed === "clear") field.value = "";
  else if (pressed === "back") field.value = field.value.slice(0, -1);
  else field.value += pressed;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Parts of the page that follow the server: <section data-live="/path"> with children data-part="name".
// data-holds: forms rest while the line is lost. data-fetched-anew: what no part keeps right is fetched once it is back.
function follow(root) {
  const state = document.querySelector("[data-live-state]");
  const known = new Set();
  const source = new EventSource(root.dataset.live);
  const listen = () =>
    root.querySelectorAll("[data-part]").forEach((part) => {
      if (known.has(part.dataset.part)) return;
      known.add(part.dataset.part);
      source.addEventListener(part.dataset.part, (event) => {
        hear();
        swap(part.dataset.part, event.data);
      });
    });
  const kept = new Map(); // what came while somebody typed or was asked: shown as soon as they are done
  const replay = () =>
    [...kept].forEach(([name, html]) => {
      kept.delete(name);
      swap(name, html);
    });
  confirmDialog.addEventListener("close", () => confirmDialog.returnValue === "yes" || setTimeout(replay, DOUBLE_TAP_MS));
  root.addEventListener("focusout", () => setTimeout(replay, 0));
  const swap = (name, html) => {
    root.querySelectorAll(`[data-part="${CSS.escape(name)}"]`).forEach((part) => {
      if (beingEdited(part)) kept.set(name, html);
      else kept.delete(name);
      if (kept.has(name) || same(part, html)) return;
      replace(part, html);
      part.classList.remove("flash");
      void part.offsetWidth; // so that the animation starts again
      part.classList.add("flash");
    });
    listen();
  };
  const show = (lost) => {
    if (!lost && root.matches(".stale[data-fetched-anew]") && comesAnew(root)) return; // grey until it is there
    root.classList.toggle("stale", lost); // what was true then must not look true now
    if (root.matches("[data-holds]")) rest(root, root.matches(".stale, .outdated"));
    if (!state) return;
    state.hidden = false;
    state.classList.toggle("lost", lost);
  };
  let heard = Date.now();
  const hear = () => {
    heard = Date.now();
    show(false);
  };
  const silence = setInterval(() => {
    if (source.readyState === EventSource.CLOSED) clearInterval(silence);
    else if (Date.now() - heard > SILENT_MS) show(true);
  }, 1000);
  source.addEventListener("beat", hear);
  source.addEventListener("sound", (event) => document.dispatchEvent(new CustomEvent("live-sound", { detail: event.data })));
  if (!root.matches("[data-holds]")) source.onopen = hear; // there only fresh parts, or a beat, end what is stale
  source.onerror = () => {
    show(true);
    if (source.readyState !== EventSource.CLOSED) return;
    kept.clear();
    setTimeout(() => followAgain(root), 5000); // refused, not merely cut
  };
  listen();
}

function rest(root, resting) {
  root.querySelectorAll(resting ? "form button:enabled:not([type=button])" : "button[data-resting]").forEach((button) => {
    button.disabled = resting;
    button.toggleAttribute("data-resting", resting);
  });
}

// A page that nobody has begun to fill in comes anew; whoever typed is told, and asks for it by a button.
function comesAnew(root) {
  const anew = !root.matches("[data-touched]") && !confirmDialog.open;
  root.classList.toggle("outdated", !anew);
  root.querySelector("[data-look]").onclick = () => look(root);
  if (anew) look(root);
  return anew;
}

// By address, for reload() would send a form again; and not into a line that is lost once more.
async function look(root) {
  if (root.dataset.looking) return;
  root.dataset.looking = "1";
  const here = location.pathname + location.search;
  const answer = await fetch(here, { redirect: "manual" }).catch(() => null);
  delete root.dataset.looking;
  if (answer) location.replace(answer.ok || answer.type === "opaqueredirect" ? here : "/");
}

["input", "click"].forEach((kind) =>
  document.addEventListener(kind, (event) => {
    const field = event.target.closest("[data-fetched-anew] form :is([type=button], input, select, textarea)");
    if (field) field.closest("[data-fetched-anew]").dataset.touched = "";
  }),
);

// Where the session has ended, the page itself leads to signing in.
function followAgain(root) {
  fetch(location.href, { redirect: "manual" })
    .then((answer) => (answer.type === "opaqueredirect" ? location.reload() : follow(root)))
    .catch(() => setTimeout(() => followAgain(root), 5000));
}

function same(part, html) {
  return fresh(part, html).innerHTML.trim() === part.innerHTML.trim();
}

function replace(part, html) {
  part.replaceChildren(fresh(part, html).content);
}

// What somebody opened or closed there stays so: <details data-kept="whose">.
function fresh(part, html) {
  const coming = document.createElement("template");
  coming.innerHTML = html;
  nameCells(coming.content);
  part.querySelectorAll("details[data-kept]").forEach((old) => {
    const next = coming.content.querySelector(`details[data-kept="${CSS.escape(old.dataset.kept)}"]`);
    if (next) next.open = old.open;
  });
  return coming;
}

// Nobody's typing is swept away: a part with a focused field, or whose form is being confirmed, waits for the next event.
function beingEdited(part) {
  const active = document.activeElement;
  return confirmDialog.open || (part.contains(active) && active.matches("input, select, textarea"));
}

// The browser speaks its own language in its bubbles; the page speaks the reader's.
document.addEventListener("invalid", (event) => {
  const field = event.target;
  if (field.validity.valueMissing) field.setCustomValidity(document.body.dataset.missing);
}, true);
document.addEventListener("input", (event) => {
  if (event.target.setCustomValidity) event.target.setCustomValidity("");
});

// On a phone a row of a table becomes a card where it has many columns or the page asks for it: cells name theirs.
function nameCells(root) {
  root.querySelectorAll("table").forEach((table) => {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent);
    table.querySelectorAll("tbody tr").forEach((row) =>
      [...row.cells].forEach((cell, place) => {
        if (cell.colSpan === 1) cell.dataset.column = names[place] || "";
      }));
    table.classList.toggle("cards", names.length > 3 || table.closest("[data-cards]") !== null);
  });
}

// A price that follows a quantity: <output data-each="400" data-of="quantity"> says quantity × 4.00.
function reckon(form) {
  form.querySelectorAll("output[data-each]").forEach((price) => {
    const typed = form.elements[price.dataset.of].value.trim();
    price.textContent = /^\d{1,9}$/.test(typed) ? "¥" + ((Number(typed) * Number(price.dataset.each)) / 100).toLocaleString("en", {minimumFractionDigits: 2}) : "–";
  });
}

// How much of a remark is written: 0/128 (S1.19).
function countTyped(field) {
  if (!field.nextElementSibling || !field.nextElementSibling.matches(".typed")) {
    field.insertAdjacentHTML("afterend", '<span class="note typed" aria-hidden="true"></span>');
  }
  field.nextElementSibling.textContent = [...field.value].length + "/" + field.maxLength;
}

document.addEventListener("input", (event) => {
  if (event.target.form) reckon(event.target.form);
  if (event.target.matches("[name=remark][maxlength]")) countTyped(event.target);
});
document.querySelectorAll("[name=remark][maxlength]").forEach(countTyped);
document.querySelectorAll("output[data-each]").forEach((price) => reckon(price.closest("form")));

nameCells(document);
document.querySelectorAll("[data-live]").forEach(follow);
