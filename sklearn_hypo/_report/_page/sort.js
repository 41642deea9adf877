"use strict";
// Click on a heading sorts the rows of a table by the values of its cells.
const makeSortable = (table) => {
  const key = (row, index, kind) => {
    const text = row.cells[index].dataset.v;
    return kind === "text" || text === "" ? text : Number(text);
  };

  // What has no value stays at the end in either direction.
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };

  const sort = (head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const index = head.cellIndex;
    const kind = head.dataset.kind;
    const rows = [...table.tBodies[0].rows];
    const keyed = rows.map((row) => [key(row, index, kind), row]);
    keyed.sort((a, b) => compare(a[0], b[0], down ? -1 : 1));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) {
      other.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => sort(head));
  }
};
