// What the booth's pages do beyond HTML: function keys, scanners, change, plates by touch.
"use strict";

// F1 … F12 press what carries data-fkey, first in the lane that needs somebody.
document.addEventListener("keydown", (event) => {
  if (!/^F([1-9]|1[0-2])$/.test(event.key) || document.getElementById("confirm").open) return;
  const urgent = document.querySelector(`.lane.pay [data-fkey="${event.key}"], .lane.ask [data-fkey="${event.key}"], .lane.refused [data-fkey="${event.key}"]`);
  const target = urgent || document.querySelector(`[data-fkey="${event.key}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

// A scanner types faster than a person and ends with Enter. On the lanes' page what it reads is laid on the car waiting.
const SCAN_GAP_MS = 80;
const SHORTEST_SCAN = 40;
let scanned = "";
let lastKey = 0;

document.addEventListener("keydown", (event) => {
  const form = document.getElementById("scan");
  if (!form || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (event.timeStamp - lastKey > SCAN_GAP_MS) scanned = "";
  lastKey = event.timeStamp;
  if (event.key.length === 1) scanned += event.key;
  else if (event.key === "Enter" && scanned.length >= SHORTEST_SCAN) {
    const lane = document.querySelector(".lane.pay[data-paper]");
    if (!lane) return;
    event.preventDefault();
    form.action = lane.dataset.paper;
    form.elements.scanned.value = scanned;
    form.requestSubmit();
  }
});

// Change: what was handed over less what is due.
const yuan = (fen) => (fen / 100).toFixed(2);
document.querySelectorAll("form[data-cash]").forEach((form) => {
  const due = Number(form.dataset.cash);
  const typed = form.querySelector("[data-tendered]");
  const asked = form.dataset.confirm;
  let notes = 0;
  const show = () => {
    const given = typed.value ? Math.round(Number(typed.value) * 100) : notes || due;
    const short = !(given >= due);
    form.querySelector("[data-received]").textContent = yuan(given || 0);
    form.querySelector("[data-change]").textContent = yuan(short ? 0 : given - due);
    form.querySelector("[data-short]").hidden = !short;
    form.querySelector("button.primary").disabled = short;
    form.dataset.confirm = given > due ? asked + "\n" + form.dataset.changeWords.replace("{0}", yuan(given)).replace("{1}", yuan(given - due)) : asked;
  };
  form.querySelectorAll("[data-tender]").forEach((button) =>
    button.addEventListener("click", () => {
      typed.value = "";
      notes = button.dataset.tender === "exact" ? 0 : notes + Number(button.dataset.tender);
      show();
    }),
  );
  typed.addEventListener("input", () => {
    notes = 0;
    show();
  });
});

// A drawer is counted note by note, or as one sum.
document.querySelectorAll("[data-count]").forEach((notes) => {
  const form = notes.closest("form");
  const sum = form.elements[notes.dataset.count];
  const expected = form.querySelector("[data-expected]");
  const show = () => {
    const counted = sum.value === "" ? NaN : Math.round(Number(sum.value) * 100);
    const over = counted - Number(expected.dataset.expected);
    form.querySelector("[data-difference]").textContent = Number.isNaN(over) ? "—" : `¥${yuan(over)}`;
  };
  notes.addEventListener("input", () => {
    let fen = 0;
    notes.querySelectorAll("[data-fen]").forEach((one) => (fen += Number(one.dataset.fen) * (Number(one.value) || 0)));
    sum.value = yuan(fen);
    show();
  });
  sum.addEventListener("input", show);
  show();
});

// A plate begins with a province: letters first show after it.
document.querySelectorAll("[data-plate-pad]").forEach((pad) => {
  const field = pad.closest("form").elements[pad.dataset.keypad];
  const show = () => pad.classList.toggle("begun", field.value.length > 0);
  field.addEventListener("input", show);
  show();
});

document.querySelectorAll("[data-ago]").forEach((row) => {
  const field = row.closest("form").elements[row.dataset.ago];
  row.addEventListener("click", (event) => {
    const minutes = Number(event.target.dataset.minutes);
    if (!minutes) return;
    const then = new Date(Date.parse(row.dataset.now + "Z") - minutes * 60000);
    field.value = then.toISOString().slice(0, 16);
  });
});

// One pad for several fields: it types into the field last touched.
document.querySelectorAll("[data-keypad-focused]").forEach((pad) => {
  const fields = [...pad.closest("form").querySelectorAll("input:not([type=hidden])")];
  let field = fields[0];
  fields.forEach((one) => one.addEventListener("focus", () => (field = one)));
  pad.addEventListener("click", (event) => {
    const digit = event.target.dataset.digit;
    if (!digit) return;
    if (digit === "clear") field.value = "";
    else if (digit === "back") field.value = field.value.slice(0, -1);
    else field.value += digit;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
});

// What is asked for anew every few seconds while somebody looks at it: a camera's picture with its plates.
document.querySelectorAll("[data-again]").forEach((part) => {
  const ask = async () => {
    if (document.hidden) return;
    const answer = await fetch(part.dataset.again).catch(() => null);
    if (answer && answer.redirected) location.reload(); // signed out meanwhile
    else if (answer && answer.ok) part.innerHTML = await answer.text();
  };
  setInterval(ask, Number(part.dataset.every) * 1000);
});
