"use strict";
// Sorts and filters the table of functions. Nothing is computed here.
(() => {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const search = document.getElementById("search");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");
  const titles = [...table.tHead.rows[0].cells];

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };

  // Numbers start with the largest, words with the first letter; a second press turns it round.
  function sortBy(column) {
    const title = titles[column];
    const numeric = rows.length > 0 && typeof key(rows[0], column) === "number";
    const before = title.getAttribute("aria-sort");
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const order = before === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    titles.forEach((each) => each.removeAttribute("aria-sort"));
    title.setAttribute("aria-sort", order);
    const keyed = rows.map((row) => [key(row, column), row]);
    keyed.sort(([a], [b]) => sign * (numeric ? a - b : a.localeCompare(b)));
    body.append(...keyed.map(([, row]) => row));
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, number) => {
      const fits =
        words.every((word) => texts[number].includes(word)) &&
        (verdict.value === "" || row.dataset.verdict === verdict.value);
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = count.toLocaleString("en-US") + " of " + rows.length.toLocaleString("en-US");
  }

  titles.forEach((title, column) => title.firstElementChild.addEventListener("click", () => sortBy(column)));
  search.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
