"use strict";
(() => {
  const root = document.documentElement;
  const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
  const source = document.getElementById("charts");
  const payload = source ? JSON.parse(source.textContent) : { charts: [], themes: {} };
  const digits = {
    decimal: ".",
    thousands: ",",
    grouping: payload.numbers === "indian" ? [3, 2, 2, 2, 2, 2] : [3],
    currency: ["₹", ""],
  };

  // a page opened from a file may have no storage: the choice then lasts as long as the page
  const stored = {
    get() { try { return localStorage.getItem("tsq-theme"); } catch { return null; } },
    set(name) { try { localStorage.setItem("tsq-theme", name); } catch { /* lasts as long as the page */ } },
  };

  const current = () => root.dataset.theme || (wantsDark.matches ? "dark" : "light");

  async function draw() {
    const name = current();
    root.dataset.charts = "drawing";
    let drawn = 0;
    for (const [number, spec] of payload.charts.entries()) {
      const place = document.getElementById(`chart-${number}`);
      try {
        await window.vegaEmbed(place, spec, {
          ast: true,
          renderer: "svg",
          config: payload.themes[name],
          formatLocale: digits,
          tooltip: { theme: name === "dark" ? "dark" : "light" },
          actions: { export: true, source: false, compiled: false, editor: false },
          downloadFileName: place.dataset.name,
        });
        drawn += 1;
      } catch (error) {
        place.textContent = `This chart could not be drawn: ${error.message}`;
        console.error(error);
      }
    }
    root.dataset.charts = `${drawn} of ${payload.charts.length}`;
  }

  function show(name) {
    root.dataset.theme = name;
    const button = document.getElementById("theme");
    button.setAttribute("aria-label", name === "dark" ? "Use light colours" : "Use dark colours");
    button.setAttribute("aria-pressed", String(name === "dark"));
    draw();
  }

  document.getElementById("theme").addEventListener("click", () => {
    const name = current() === "dark" ? "light" : "dark";
    stored.set(name);
    show(name);
  });
  wantsDark.addEventListener("change", () => { if (!stored.get()) show(wantsDark.matches ? "dark" : "light"); });

  const asked = new URLSearchParams(location.search).get("theme") || stored.get();
  show(asked === "dark" || asked === "light" ? asked : current());
})();
