(() => {
  const table = document.getElementById("findings");

  if (table) makeSortable(table);

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
