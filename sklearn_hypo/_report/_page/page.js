"use strict";
(() => {
  const table = document.getElementById("findings");

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

  if (table) {
    for (const head of table.tHead.rows[0].cells) {
      head.querySelector("button").addEventListener("click", () => sort(head));
    }
  }

  const all = [...document.querySelectorAll(".evidence > details")];
  const button = document.getElementById("open-all");
  if (button) {
    const label = () => {
      button.textContent = all.every((d) => d.open) ? "Close all" : "Open all";
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = !all.every((d) => d.open);
      for (const each of all) each.open = open;
      label();
    });
    for (const each of all) each.addEventListener("toggle", label);
  }

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const found = id && document.getElementById(id);
    if (found && found.tagName === "DETAILS") {
      found.open = true;
      found.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  for (const link of document.querySelectorAll("a.jump")) {
    link.addEventListener("click", () => setTimeout(reveal));
  }
  reveal();

  // What is closed would be missing on paper.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  document.documentElement.classList.add("ready");
})();
