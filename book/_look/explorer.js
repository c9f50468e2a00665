/* The explorer page: what is chosen above the plot is drawn, correlated and listed. Data stands in the page itself. */
"use strict";
(() => {
  const FEWEST_NETWORKS = 5; // below it no r is shown
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down"];
  const SHAPES = { // the same in a box from -6 to 6, for the legend
    circle: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z",
    square: "M-5-5H5V5H-5Z",
    diamond: "M0-6L6 0L0 6L-6 0Z",
    "triangle-up": "M0-5L6 5H-6Z",
    cross: "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
    x: "M-3-6L0-3L3-6L6-3L3 0L6 3L3 6L0 3L-3 6L-6 3L-3 0L-6-3Z",
    "triangle-down": "M0 5L6-5H-6Z",
  };
  const $ = (name) => document.getElementById(`explorer-${name}`);
  const data = JSON.parse($("data").textContent);
  const plot = $("plot");
  let population; // the one that is chosen
  let groups = []; // of the colouring: {name, colour, symbol}
  let hidden = new Set(); // names of groups that are not shown
  let shown = []; // networks in the plot, each with index, x and y
  let chosen = null; // the network that the card is about
  let kept = false; // whether a click keeps it

  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const number = (value, digits = 3) => (value === null ? "–" : String(Number(value.toPrecision(digits))).replace("-", "−"));
  const share = (value) => (value === null ? "–" : value.toFixed(3));
  const column = (axis) => population[axis === "x" ? "indicators" : "targets"][$(axis).value];
  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--pst-color-${name}`).trim();
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  function fill(select, options, at) {
    select.replaceChildren(...options.map((text, i) => Object.assign(element("option", text), { value: i })));
    select.value = Math.max(0, at);
  }

  function choosePopulation() {
    const before = population && { x: column("x").name, y: column("y").name };
    population = data.populations[$("population").value];
    for (const [axis, columns] of [["x", population.indicators], ["y", population.targets]]) {
      fill($(axis), columns.map((one) => one.label), before ? columns.findIndex((one) => one.name === before[axis]) : 0);
    }
    const accuracies = population.networks.map((network) => network.clean).filter((value) => value !== null);
    const [low, high] = [Math.floor(Math.min(...accuracies) * 200) / 200, Math.ceil(Math.max(...accuracies) * 200) / 200];
    for (const name of ["low", "high"]) Object.assign($(name), { min: low, max: high, value: name === "low" ? low : high });
    chooseColour();
  }

  function chooseColour() {
    const by = $("colour").value;
    const names = [...new Set(population.networks.map((network) => network[by]))].sort((a, b) => {
      const place = (name) => (data.recipes.includes(name) ? data.recipes.indexOf(name) : data.recipes.length);
      return place(a) - place(b) || a.localeCompare(b, "en", { numeric: true });
    });
    groups = names.map((name, i) => ({
      name, colour: data.palette[i % data.palette.length], symbol: SYMBOLS[i % SYMBOLS.length],
    }));
    hidden = new Set();
    $("legend").textContent = { recipe: "Recipes shown", family: "Families shown", clan: "Clans shown" }[by];
    $("groups").replaceChildren(...groups.map((group) => {
      const label = element("label", "");
      const box = Object.assign(element("input", ""), { type: "checkbox", checked: true });
      box.addEventListener("change", () => {
        hidden[box.checked ? "delete" : "add"](group.name);
        draw();
      });
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      mark.setAttribute("viewBox", "-7 -7 14 14");
      mark.setAttribute("aria-hidden", "true");
      path.setAttribute("d", SHAPES[group.symbol]);
      path.setAttribute("fill", group.colour);
      path.setAttribute("stroke", "currentColor");
      mark.append(path);
      label.append(box, " ", mark, ` ${group.name}`);
      return label;
    }));
    draw();
  }

  function select() {
    const by = $("colour").value;
    const [low, high] = [Number($("low").value), Number($("high").value)];
    const [x, y] = [column("x").values, column("y").values];
    return population.networks
      .map((network, index) => ({ ...network, index, x: x[index], y: y[index] }))
      .filter((one) => one.x !== null && one.y !== null && one.clean !== null)
      .filter((one) => one.clean >= low && one.clean <= high && !hidden.has(one[by]));
  }

  function wrapped(label, width) {
    const lines = [""];
    for (const word of label.split(" ")) {
      if ((lines.at(-1) + word).length > width) lines.push("");
      lines[lines.length - 1] += `${word} `;
    }
    return lines.map((line) => escaped(line.trim())).join("<br>");
  }

  function hover(one) {
    return escaped(`${one.name}: ${one.recipe}`) + "<br>" + escaped(`${one.family}; n = ${one.n[0]} and ${one.n[1]} images`);
  }

  function drawPlot() {
    const by = $("colour").value;
    const [ink, muted, ground] = [theme("text-base"), theme("border"), theme("background")];
    const traces = groups.filter((group) => !hidden.has(group.name)).map((group) => {
      const own = shown.filter((one) => one[by] === group.name);
      return {
        type: "scatter", mode: "markers", name: escaped(group.name),
        x: own.map((one) => one.x), y: own.map((one) => one.y), customdata: own.map((one) => one.index),
        text: own.map(hover), hovertemplate: "%{text}<br>%{x:.3g} across, %{y:.3g} up<extra></extra>",
        marker: { color: group.colour, symbol: group.symbol, size: 10, line: { color: ink, width: 0.8 } },
      };
    });
    const ring = chosen && shown.find((one) => one.index === chosen.index);
    traces.push({
      type: "scatter", mode: "markers", hoverinfo: "skip", x: ring ? [ring.x] : [], y: ring ? [ring.y] : [],
      marker: { color: "rgba(0,0,0,0)", size: 18, line: { color: ink, width: 2 } },
    });
    const axis = (name, width) => ({
      title: { text: wrapped(column(name).label, width) }, gridcolor: muted, zeroline: false, automargin: true,
    });
    const layout = {
      showlegend: false, hovermode: "closest", margin: { l: 60, r: 15, t: 10, b: 50 }, font: { color: ink, size: 12 },
      paper_bgcolor: ground, plot_bgcolor: ground, xaxis: axis("x", 40), yaxis: axis("y", 30),
      hoverlabel: { bgcolor: ground, bordercolor: ink, font: { color: ink } },
    };
    const config = { responsive: true, displaylogo: false, displayModeBar: false };
    return Plotly.react(plot, traces, layout, config);
  }

  function interval(found) {
    if (Number.isNaN(found.r)) return "not defined";
    const two = (value) => value.toFixed(2).replace("-", "−");
    const ends = Number.isNaN(found.low) ? "no interval" : `95 % interval ${two(found.low)} to ${two(found.high)}`;
    return `${two(found.r)} (${ends})`;
  }

  function correlations() {
    const within = $("within").checked;
    const given = shown.map((one) => one.clean);
    const common = {
      x: shown.map((one) => one.x), y: shown.map((one) => one.y), families: shown.map((one) => one.family),
      levels: shown.map((one) => (within ? one.recipe : "")), studentsT: data.students_t,
    };
    return { r: explorerStatistics.overFamilies(common), partial: explorerStatistics.overFamilies({ ...common, given }) };
  }

  function drawResult() {
    const families = new Set(shown.map((one) => one.family)).size;
    const who = `${shown.length} networks of ${families} ${families === 1 ? "family" : "families"} shown`;
    if (shown.length < FEWEST_NETWORKS) {
      $("result").replaceChildren(element("p", `${who}: too few for r, which needs five networks.`));
      return;
    }
    const { r, partial } = correlations();
    $("result").replaceChildren(
      element("p", `${who}: r = ${interval(r)}; partial r given clean accuracy = ${interval(partial)}.`),
    );
  }

  function drawCard() {
    const card = $("card");
    if (!chosen) {
      card.replaceChildren(element("p", "Point at a network, or go from one to the next with the arrow keys."));
      return;
    }
    const one = chosen;
    const link = Object.assign(element("a", "its row in the table"), { href: `#explorer-row-${one.index}` });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      table.reach(one);
    });
    const words = element("p", "");
    words.append(element("strong", one.name), `: ${one.recipe}; ${one.family} (${one.clan}); n = ${one.n[0]} images for the `
      + `indicator, ${one.n[1]} for robustness; clean accuracy ${share(one.clean)}, ${column("x").label} ${number(one.x)}, `
      + `${column("y").label} ${number(one.y)}: `, link);
    card.replaceChildren(words);
  }

  function choose(one) {
    chosen = one;
    drawCard();
    table.mark(one);
    const ring = plot.data.length - 1;
    return Plotly.restyle(plot, { x: [one ? [one.x] : []], y: [one ? [one.y] : []] }, [ring]);
  }

  function draw() {
    shown = select();
    chosen = (chosen && shown.find((one) => one.index === chosen.index)) || null;
    kept = kept && chosen !== null;
    for (const name of ["low", "high"]) $(`${name}-value`).textContent = share(Number($(name).value));
    for (const axis of ["x", "y"]) $(`${axis}-about`).textContent = column(axis).about;
    drawResult();
    drawPlot();
    const text = (label, key) => ({ label, value: (one) => one[key], show: String });
    const numeric = (label, value, show) => ({ label, value, show });
    const axes = ["x", "y"].filter((axis) => column(axis).name !== "clean");
    table.show(shown, [
      text("network", "name"), text("family", "family"), text("clan", "clan"), text("recipe", "recipe"),
      numeric("clean accuracy", (one) => one.clean, share),
      ...axes.map((axis) => numeric(column(axis).label, (one) => one[axis], number)),
      numeric("clean images", (one) => one.n[0], String), numeric("corrupted images", (one) => one.n[1], String),
    ]);
    drawCard();
    table.mark(chosen);
  }

  function step(event) {
    const order = [...shown].sort((a, b) => a.x - b.x || a.index - b.index);
    const at = chosen ? order.findIndex((one) => one.index === chosen.index) : -1;
    const to = {
      ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at < 0 ? 0 : at - 1, ArrowDown: at < 0 ? 0 : at - 1, Home: 0, End: order.length - 1,
    }[event.key];
    if (event.key === "Enter" && chosen) table.reach(chosen);
    else if (event.key === "Escape") { kept = false; choose(null); }
    else if (to === undefined || !order.length) return;
    else choose(order[Math.min(Math.max(to, 0), order.length - 1)]);
    event.preventDefault();
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table.csv()], { type: "text/csv" }));
    link.download = `${population.preset} ${population.study}`.replace(/\W+/g, "_") + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const table = explorerTable({
    head: $("head"), body: $("rows"), search: $("search"), count: $("count"), onPoint: choose,
  });
  if (!data.populations.length) {
    $("result").textContent = "Nothing is published yet.";
    return;
  }
  data.populations.forEach((one, i) => {
    const presets = [...$("population").children];
    const group = presets.find((preset) => preset.label === one.preset)
      || $("population").appendChild(Object.assign(element("optgroup", ""), { label: one.preset }));
    const words = `${one.preset}: ${one.study} (${one.networks.length} networks, families: ${one.n_families})`;
    group.append(Object.assign(element("option", words), { value: i }));
  });
  $("population").value = data.first;
  choosePopulation();

  const point = (event) => shown.find((one) => one.index === event.points[0].customdata);
  plot.on("plotly_hover", (event) => { if (!kept) choose(point(event)); });
  plot.on("plotly_click", (event) => { kept = true; choose(point(event)); });
  plot.addEventListener("keydown", step);
  $("population").addEventListener("change", choosePopulation);
  $("colour").addEventListener("change", chooseColour);
  for (const name of ["x", "y", "within"]) $(name).addEventListener("change", draw);
  for (const [name, other, outer] of [["low", "high", Math.min], ["high", "low", Math.max]]) {
    $(name).addEventListener("input", () => {
      $(name).value = outer(Number($(name).value), Number($(other).value)); // the two do not cross
      draw();
    });
  }
  document.querySelector(".explorer-controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", download);
  new MutationObserver(drawPlot).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
