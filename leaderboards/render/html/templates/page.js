"use strict";
// Everything here is an extra: without JavaScript the tables are whole, sorted as written.

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Headings become buttons; the first click puts the best on top.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, place) => {
    const title = heading.querySelector(".title");
    const button = make("button", { type: "button" }, ...title.childNodes);
    title.append(button);
    button.addEventListener("click", () => {
      const other = { ascending: "descending", descending: "ascending" };
      const next = other[heading.getAttribute("aria-sort")] || heading.dataset.first;
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", next);
      sort(table.tBodies[0], place, next === "ascending");
    });
  });
}

function key(cell) {
  if ("v" in cell.dataset) return cell.dataset.v;
  return cell.textContent === "–" ? "" : cell.textContent;
}

function sort(body, place, ascending) {
  const keyed = [...body.rows].map((row) => ({ row, key: key(row.cells[place]) }));
  keyed.sort((a, b) => {
    if (a.key === "" || b.key === "") return (a.key === "") - (b.key === ""); // missing last
    const [x, y] = [Number(a.key), Number(b.key)];
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.key.localeCompare(b.key) : x - y || 0;
    return ascending ? order : -order;
  });
  body.append(...keyed.map((entry) => entry.row));
}

// Above long or wide tables: a box that filters rows, and which columns are shown.
for (const place of document.querySelectorAll(".tools")) {
  const table = document.getElementById(place.dataset.for);
  const rows = [...table.tBodies[0].rows];
  const headings = [...table.tHead.rows[0].cells];
  if (rows.length > 5) place.append(filter(rows));
  const first = headings.findIndex((one) => one.matches(":not(.rank, .name)"));
  if (headings.length - first > 5) place.append(picker(table, headings, Math.max(first, 1)));
}

function filter(rows) {
  const count = make("output", {});
  const box = make("input", { type: "search", placeholder: "filter rows" });
  box.setAttribute("aria-label", "Filter rows by their text");
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.querySelector("th").textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = left < rows.length ? `${left} of ${rows.length}` : "";
  });
  return make("span", {}, box, count);
}

function picker(table, headings, first) {
  const list = make("div", { className: "choices" });
  headings.slice(first).forEach((heading, i) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      for (const row of table.rows) row.cells[first + i].hidden = !box.checked;
    });
    list.append(make("label", {}, box, heading.querySelector(".title").textContent));
  });
  return make("details", {}, make("summary", { textContent: "columns" }), list);
}

// Commands can be copied; where the clipboard is closed, the text is selected.
for (const block of document.querySelectorAll("pre")) {
  const button = make("button", { type: "button", className: "copy", textContent: "copy" });
  button.addEventListener("click", async () => {
    const text = block.querySelector("code");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(text);
    }
  });
  block.before(make("div", { className: "command" }, button));
  block.previousSibling.prepend(block);
}
