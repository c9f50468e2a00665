/* A fold is called by the words that stand on it, not by "Toggle hidden content", which says nothing of what is hidden. */
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("summary[aria-label]").forEach((summary) => summary.removeAttribute("aria-label"));
});
