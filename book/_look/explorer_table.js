/* The explorer's table: sorted by a column's button, searched by words, one row a network. Names are set as text. */
"use strict";
function explorerTable({ head, body, search, count, onPoint }) {
  let columns = []; // {label, value: network -> number, text or null, show: value -> text}
  let networks = [];
  let sorted = { column: 0, up: true };

  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  function compare(a, b) {
    const [left, right] = [a, b].map((network) => columns[sorted.column].value(network));
    if (left === null || right === null) return (left === null) - (right === null); // nothing stands last
    const order = typeof left === "number" ? left - right : left.localeCompare(right, "en", { numeric: true });
    return sorted.up ? order : -order;
  }

  const ordered = () => [...networks].sort((a, b) => compare(a, b) || a.index - b.index);

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (network) => columns.map((column) => column.show(column.value(network))).join(" ").toLowerCase();
    const found = ordered().filter((network) => words.every((word) => text(network).includes(word)));
    head.replaceChildren(...columns.map((column, i) => {
      const cell = element("th", "");
      const mine = i === sorted.column;
      cell.scope = "col";
      cell.setAttribute("aria-sort", mine ? (sorted.up ? "ascending" : "descending") : "none");
      const button = element("button", column.label + (mine ? (sorted.up ? " ▲" : " ▼") : ""));
      button.type = "button";
      button.addEventListener("click", () => {
        sorted = { column: i, up: mine ? !sorted.up : true };
        draw();
        head.children[i].firstChild.focus();
      });
      cell.append(button);
      return cell;
    }));
    body.replaceChildren(...found.map((network) => {
      const row = element("tr", "");
      row.id = `explorer-row-${network.index}`;
      row.tabIndex = -1;
      row.append(...columns.map((column) => element("td", column.show(column.value(network)))));
      row.addEventListener("mouseenter", () => onPoint(network));
      row.addEventListener("focus", () => onPoint(network));
      return row;
    }));
    count.textContent = `${found.length} of ${networks.length} networks in the table.`;
  }

  search.addEventListener("input", draw);

  return {
    show(these, of) {
      [networks, columns] = [these, of];
      draw();
    },
    /* Go to a network's row; a search that hides it is emptied. */
    reach(network) {
      const row = () => document.getElementById(`explorer-row-${network.index}`);
      if (!row()) {
        search.value = "";
        draw();
      }
      row().focus();
      row().scrollIntoView({ block: "nearest" });
    },
    mark(network) {
      body.querySelectorAll(".explorer-chosen").forEach((row) => row.classList.remove("explorer-chosen"));
      const row = network && document.getElementById(`explorer-row-${network.index}`);
      if (row) row.classList.add("explorer-chosen");
    },
    csv() {
      const quoted = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
      const lines = ordered().map((network) => columns.map((column) => quoted(column.value(network))));
      return [columns.map((column) => quoted(column.label)), ...lines].map((line) => line.join(",") + "\r\n").join("");
    },
  };
}
