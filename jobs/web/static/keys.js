"use strict";
// Keys of the search page; those of the player are in player.js.

function isTyping(event) {
  return (
    event.ctrlKey || event.metaKey || event.altKey || event.isComposing ||
    event.target.closest("input, textarea, select, dialog") !== null
  );
}

function stepThroughHits(step) {
  const hits = [...document.querySelectorAll("[data-hit]")];
  if (!hits.length) return;
  const here = hits.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : hits.length - 1) : Math.min(Math.max(here + step, 0), hits.length - 1);
  hits[next].focus();
  hits[next].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("q");
  if (event.key === "Escape" && event.target === search) search.blur();
  if (isTyping(event)) return;
  if (event.key === "/") {
    search.focus();
    search.select();
  } else if (!document.getElementById("stage") && ["j", "ArrowDown"].includes(event.key)) {
    stepThroughHits(1);
  } else if (!document.getElementById("stage") && ["k", "ArrowUp"].includes(event.key)) {
    stepThroughHits(-1);
  } else {
    return;
  }
  event.preventDefault();
});

// Fields left empty would only make the address longer.
document.getElementById("search").addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of document.getElementById("search").elements) field.disabled = false;
});
