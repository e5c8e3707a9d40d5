"use strict";
// Loaded before the page is drawn, so that a chosen theme does not flash.
const root = document.documentElement;

function storedTheme() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // storage is switched off
  }
}

function setTheme(theme) {
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
}

setTheme(storedTheme());

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    const theme = isDark ? "light" : "dark";
    setTheme(theme);
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // then it lasts for this page
    }
  });
});
