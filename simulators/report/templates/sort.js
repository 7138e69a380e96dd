"use strict";
// Headings of the results become buttons that sort; without JavaScript the table is as written.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(table.tBodies[0], place, ascending);
    });
  });
}

function sort(body, place, ascending) {
  const keyed = [...body.rows].map((row) => ({ row, key: row.cells[place].dataset.order }));
  keyed.sort((a, b) => {
    if (a.key === "" || b.key === "") return (a.key === "") - (b.key === ""); // missing last
    const numbers = [Number(a.key), Number(b.key)];
    const order = numbers.some(Number.isNaN)
      ? a.key.localeCompare(b.key)
      : numbers[0] - numbers[1];
    return ascending ? order : -order;
  });
  body.append(...keyed.map((entry) => entry.row));
}

// The hint below a table shows while the table is wider than its place.
function hint() {
  for (const note of document.querySelectorAll(".hint")) {
    const place = note.previousElementSibling;
    note.hidden = place.scrollWidth <= place.clientWidth + 1;
  }
}
addEventListener("resize", hint);
hint();
