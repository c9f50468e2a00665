/* A fold is called by the words that stand on it, not by "Toggle hidden content", which says nothing of what is hidden. */
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("summary[aria-label]").forEach((summary) => summary.removeAttribute("aria-label"));
});

// The table of contents opens and closes by a mark without words.
document.addEventListener("DOMContentLoaded", () => {
  for (const item of document.querySelectorAll(".bd-sidebar li.has-children")) {
    const title = item.querySelector(":scope > a")?.textContent.trim();
    item.querySelector(":scope > details > summary")?.setAttribute("aria-label", `Pages of ${title}`);
  }
});

// Sphinx calls a bibliography a list, but none of its entries an item of one.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".citation-list").forEach((list) => list.removeAttribute("role"));
});

// On a phone a row of a table is a card, in which each cell says which column it is of.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table.table")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.children].forEach((cell, i) => names[i] && (cell.dataset.name = names[i]));
    }
  }
});
