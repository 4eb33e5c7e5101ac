// What a machine can see of a page as it is laid out now. Returns findings as [code, detail] pairs.
({ touch, language, known }) => {
  const found = [], seen = new Set();
  const say = (code, detail) => {
    const line = `${code}\n${detail}`;
    if (!seen.has(line)) { seen.add(line); found.push([code, detail]); }
  };
  const shortly = (text) => text.replace(/\s+/g, " ").trim().slice(0, 60);
  const where = (element) => {
    const names = [...element.classList].map((name) => `.${name}`).join("");
    return `${element.tagName.toLowerCase()}${names}`;
  };
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const isClipped = (element) => element.closest(".sr, .skip") !== null;

  if (!document.title.split("·")[0].trim()) say("title", "the page has no title of its own");
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 1) {
    const widest = [...document.querySelectorAll("main *")].filter((one) =>
      one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".table-wrap, .nav, .lane-bar, pre"))[0];
    say("too_wide", `${wide} px${widest ? `: ${where(widest)} ${shortly(widest.textContent)}` : ""}`);
  }
  if (innerWidth >= 1200) for (const one of document.querySelectorAll(".table-wrap"))
    if (one.scrollWidth > one.clientWidth + 1) say("wide_table", `${one.scrollWidth - one.clientWidth} px: ${shortly(one.textContent)}`);
  for (const [id, count] of Object.entries(Object.groupBy([...document.querySelectorAll("[id]")], (one) => one.id))
    .map(([name, all]) => [name, all.length])) if (count > 1) say("same_id", id);

  const channels = (colour) => {
    const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [];
    return colour.startsWith("color(srgb") ? [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1]
      : [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const light = (colour) => {
    const [r, g, b] = colour.map((one) => one / 255).map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== "none") return null;
      const colour = channels(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const contrast = (element, text) => {
    const style = getComputedStyle(element), below = behind(element);
    if (!below || element.closest("svg, [disabled], [aria-disabled=true], :disabled")) return;
    const dim = (() => { let all = 1; for (let one = element; one; one = one.parentElement) all *= Number(getComputedStyle(one).opacity); return all; })();
    const colour = channels(style.color);
    const front = over([colour[0], colour[1], colour[2], colour[3] * dim], below);
    const [high, low] = [light(front), light(below)].sort((one, other) => other - one);
    const ratio = (high + .05) / (low + .05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) say("contrast", `${ratio.toFixed(1)}: ${where(element)} ${shortly(text)}`);
  };
  const cut = (element, text, box) => {
    if (element.closest("option, svg")) return;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one), edge = one.getBoundingClientRect();
      if (one === element && style.display !== "inline" && box.right > edge.right + 2)
        say("cut", `${where(one)} ${shortly(text)}: ${Math.round(box.right - edge.right)} px beyond its box`);
      if (/auto|scroll/.test(style.overflowX) || style.textOverflow === "ellipsis") return;
      if (/hidden|clip/.test(style.overflowX) && box.right > edge.right + 2)
        say("cut", `${where(one)} ${shortly(text)}: ${Math.round(box.right - edge.right)} px cut`);
    }
  };
  const NAMES = /[\u4e00-\u9fff][A-Z][A-Z0-9]{4,6}[\u4e00-\u9fff]?|\w+_\w+|\[\[\w+\]\]/g; // plates; keys of settings
  const tongue = (whole) => {
    const text = whole.replace(NAMES, "");
    const foreign = language === "en" ? text.match(/[\u3400-\u9fff]+/g) : text.match(/[A-Za-z][a-z]{2,}/g);
    for (const one of foreign ?? []) if (!known.includes(one)) say("language", `${one}: ${shortly(text)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim(), element = node.parentElement;
    if (!text || ["SCRIPT", "STYLE", "TEMPLATE"].includes(element.tagName) || !isShown(element) || isClipped(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    contrast(element, text);
    cut(element, text, box);
    if (!element.closest("code, .plate, .found-plate ol, [data-key], .keys, .error-page .note, body [lang], textarea, pre")) tongue(text);
  }
  for (const one of document.querySelectorAll("[placeholder], [aria-label], [title], img[alt]"))
    if (isShown(one)) tongue(one.placeholder || one.getAttribute("aria-label") || one.title || one.alt || "");
  for (const one of document.querySelectorAll("img")) if (isShown(one)) {
    if (!one.hasAttribute("alt")) say("alt", where(one));
    if (one.complete && !one.naturalWidth) say("picture", `${where(one)} shows nothing`);
  }
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (isShown(one) && !one.labels?.length && !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby")) say("label", `${where(one)} ${one.name}`);
  if (touch) for (const one of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    if (!isShown(one) || isClipped(one)) continue;
    const target = ["checkbox", "radio"].includes(one.type) ? one.closest("label") ?? one : one;
    const box = target.getBoundingClientRect();
    const flows = one.tagName === "A" && getComputedStyle(one).display === "inline" && one.parentElement.textContent.trim() !== one.textContent.trim();
    const isKey = one.closest(".keys") !== null; // a keyboard's keys are as wide as a phone allows
    if (box.width && !flows && (box.height < 43.5 || (box.width < 43.5 && !isKey)))
      say("small", `${where(one)} ${shortly(one.textContent || one.name || "")}: ${Math.round(box.width)}×${Math.round(box.height)}`);
  }
  return found;
}
