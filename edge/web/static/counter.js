// The counter's few lines: counts by touch, and a confirmation that names the count.
"use strict";

document.querySelectorAll("[data-counts]").forEach((row) => {
  const form = row.closest("form");
  const field = form.elements[row.dataset.counts];
  const show = () => {
    form.dataset.confirm = form.dataset.countWords.replace("{0}", field.value);
  };
  row.addEventListener("click", (event) => {
    const { add, set } = event.target.dataset;
    if (!add && !set) return;
    const wanted = set ? Number(set) : Number(field.value || 0) + Number(add);
    field.value = Math.max(1, Math.min(Number(field.max), wanted));
    show();
  });
  field.addEventListener("input", show);
});
