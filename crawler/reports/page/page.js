// Replaces the still drawings by charts that answer to the pointer. Foreign texts only become text nodes.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const numbers = new Intl.NumberFormat("en");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const GRID_ROWS = 40;
  const LEFT_FROM = 700; // of 1,000: further to the right a host's name stands on its left
  const ZOOM_STEP = 1.4;
  const NAMES_SHARE = 0.3;
  const CHARACTER_WIDTH = 8;

  // What a tooltip shows: a heading, and lines below it.
  const tip = (heading, ...lines) => {
    const box = document.createElement("div");
    box.className = "tip";
    const add = (element, text) => box.appendChild(document.createElement(element)).append(text);
    add("b", heading);
    lines.forEach((line) => add("span", line));
    return box;
  };
  const counted = (articles) => `${numbers.format(articles)} ${articles === 1 ? "article" : "articles"}`;
  const tooltip = (formatter) => ({
    formatter,
    confine: true,
    transitionDuration: 0,
    backgroundColor: colour("card"),
    borderColor: colour("line"),
  });
  const text = (size, name) => ({ color: colour(name), fontSize: size, fontFamily: "system-ui, sans-serif" });
  const bare = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };
  const fitted = { outerBoundsMode: "same", outerBoundsContain: "axisLabel" };

  const columns = ({ labels, ticks, series }) => ({
    grid: { left: 0, right: 0, top: 8, bottom: 0, ...fitted },
    tooltip: {
      ...tooltip((items) =>
        tip(labels[items[0].dataIndex], ...items.map((item) => `${numbers.format(item.value)} ${item.seriesName}`)),
      ),
      trigger: "axis",
      axisPointer: { type: "shadow" },
    },
    xAxis: {
      type: "category",
      data: labels,
      ...bare,
      axisLabel: { ...text(12, "muted"), hideOverlap: true, formatter: (_, index) => ticks[index] },
    },
    yAxis: {
      ...bare,
      minInterval: 1,
      splitLine: { lineStyle: { color: colour("line") } },
      axisLabel: { ...text(12, "muted"), formatter: (value) => numbers.format(value) },
    },
    series: series.map(({ name, values, colour: fill }) => ({
      type: "bar",
      stack: "all",
      name,
      data: values,
      barMaxWidth: 44,
      barCategoryGap: "20%",
      itemStyle: { color: colour(fill) },
    })),
  });

  const bars = ({ labels, colours, values }) => {
    const names = { ...text(13, "ink"), inside: true, margin: 0, verticalAlign: "bottom", padding: [0, 0, 7, 0], interval: 0 };
    const axis = { type: "category", inverse: true, data: labels, ...bare };
    return {
      grid: { left: 0, right: 0, top: 6, bottom: -6, outerBoundsMode: "none" },
      tooltip: tooltip(({ dataIndex }) => tip(labels[dataIndex], numbers.format(values[dataIndex]))),
      xAxis: { show: false, max: Math.max(1, ...values) },
      yAxis: [
        { ...axis, axisLabel: names },
        { ...axis, axisLabel: { ...names, formatter: (_, index) => numbers.format(values[index]) } },
      ],
      series: {
        type: "bar",
        barWidth: 8,
        showBackground: true,
        backgroundStyle: { color: colour("track"), borderRadius: 4 },
        itemStyle: { borderRadius: 4 },
        data: values.map((value, index) => ({ value, itemStyle: { color: colour(colours[index]) } })),
      },
    };
  };

  const namesWidth = (rows, width) =>
    Math.min(width * NAMES_SHARE, CHARACTER_WIDTH * Math.max(...rows.map((name) => name.length)));

  const grid = ({ rows, columns: months, cells, bounds }, { width }) => ({
    grid: { outerBoundsMode: "none", left: namesWidth(rows, width), right: rows.length > GRID_ROWS ? 28 : 0, top: 0, bottom: 24 },
    tooltip: tooltip(({ value: [month, row, count] }) =>
      tip(rows[row], `${counted(count)} in ${months[month]}`),
    ),
    xAxis: { type: "category", data: months, ...bare, axisLabel: { ...text(12, "muted"), hideOverlap: true } },
    yAxis: {
      type: "category",
      data: rows,
      inverse: true,
      ...bare,
      axisLabel: {
        ...text(13, "ink"),
        interval: 0,
        align: "left",
        margin: namesWidth(rows, width),
        width: namesWidth(rows, width) - 8,
        overflow: "truncate",
      },
    },
    visualMap: {
      show: false,
      type: "piecewise",
      dimension: 2,
      pieces: bounds.map((bound, step) => ({
        gt: step ? bounds[step - 1] : 0,
        lte: bound,
        color: colour(`heat${step + 1}`),
      })),
    },
    dataZoom: {
      type: "slider",
      show: rows.length > GRID_ROWS,
      yAxisIndex: 0,
      startValue: 0,
      endValue: GRID_ROWS - 1,
      zoomLock: true,
      brushSelect: false,
      showDetail: false,
      showDataShadow: false,
      right: 4,
      width: 14,
      borderColor: "transparent",
      backgroundColor: colour("track"),
      fillerColor: colour("c6"),
      handleSize: 0,
      moveHandleSize: 0,
    },
    series: {
      type: "heatmap",
      data: cells,
      itemStyle: { borderColor: colour("card"), borderWidth: 1 },
      emphasis: { itemStyle: { borderColor: colour("ink") } },
    },
  });

  const neighbours = (before, list) =>
    list.length ? [`${before} ${list.map(([name, count]) => `${name} (${numbers.format(count)})`).join(", ")}`] : [];

  // In the corner that is away from the host, so that its neighbours stay in sight.
  const corner = ([x], _data, _box, _place, { contentSize, viewSize }) => [
    x < viewSize[0] / 2 ? viewSize[0] - contentSize[0] : 0,
    0,
  ];

  const networkTip = (nodes, edges, { dataType, dataIndex }) => {
    if (dataType === "edge") {
      const [one, other, count] = edges[dataIndex];
      return tip(`${nodes[one].name}, ${nodes[other].name}`, `${numbers.format(count)} links between them`);
    }
    const node = nodes[dataIndex];
    return tip(
      node.name,
      counted(node.articles),
      `${numbers.format(node.links_in)} links from other hosts, ${numbers.format(node.links_out)} to others`,
      ...neighbours("From", node.sources),
      ...neighbours("To", node.targets),
    );
  };

  const network = ({ nodes, edges }, { width, height, zoom }) => ({
    tooltip: { ...tooltip((item) => networkTip(nodes, edges, item)), position: corner },
    series: {
      type: "graph",
      layout: "none",
      left: "4%",
      right: "4%",
      top: "4%",
      bottom: "4%",
      zoom,
      roam: matchMedia("(pointer: fine)").matches ? "move" : false,
      nodeScaleRatio: 0.2,
      data: nodes.map(({ name, x, y, radius, articles }, index) => ({
        id: String(index),
        name,
        x: (x * width) / height,
        y,
        symbolSize: 2 * radius,
        label: { position: x > LEFT_FROM ? "left" : "right" },
        itemStyle: { color: colour(articles ? "c1" : "c6"), borderColor: colour("card"), borderWidth: 1.5 },
      })),
      links: edges.map(([one, other]) => ({ source: String(one), target: String(other) })),
      lineStyle: { color: colour("edge"), opacity: 0.45 },
      label: { show: true, position: "right", ...text(12, "ink"), textBorderColor: colour("card"), textBorderWidth: 3 },
      labelLayout: { hideOverlap: true },
      emphasis: { focus: "adjacency", lineStyle: { width: 2, opacity: 1, color: colour("accent") } },
      blur: { itemStyle: { opacity: 0.15 }, lineStyle: { opacity: 0.05 }, label: { opacity: 0.1 } },
    },
  });

  const options = { columns, bars, grid, network };

  // Zooms a network, and shows one of its hosts: for keyboards, and where there are too many to find one.
  const controls = (chart, data, view, redraw) => {
    const box = document.createElement("p");
    box.className = "choice";
    const select = document.createElement("select");
    select.add(new Option("all hosts", ""));
    data.nodes
      .map(({ name }, index) => [name, index])
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .forEach(([name, index]) => select.add(new Option(name, index)));
    select.addEventListener("change", () => {
      chart.dispatchAction({ type: "downplay", seriesIndex: 0 });
      chart.dispatchAction({ type: "hideTip" });
      if (!select.value) return;
      const dataIndex = Number(select.value);
      chart.dispatchAction({ type: "highlight", seriesIndex: 0, dataIndex });
      chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex });
    });
    const label = document.createElement("label");
    label.append("Show ", select);
    box.append(label);
    for (const [name, sign, factor] of [
      ["Zoom in", "+", ZOOM_STEP],
      ["Zoom out", "\u2212", 1 / ZOOM_STEP],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", name);
      button.append(sign);
      button.addEventListener("click", () => {
        view.zoom = Math.max(1, view.zoom * factor);
        redraw();
      });
      box.append(button);
    }
    return box;
  };

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const data = charts[figure.dataset.chart];
    const still = figure.querySelector("svg.still");
    if (!still) continue;
    const live = document.createElement("div");
    live.className = "live";
    live.setAttribute("aria-hidden", "true");
    live.style.height = `${still.height.baseVal.value}px`;
    still.before(live);
    const chart = echarts.init(live, null, { renderer: "canvas" });
    const view = { zoom: 1, width: live.clientWidth, height: live.clientHeight };
    const redraw = () => {
      const option = options[data.kind](data, view);
      chart.setOption({ animation: false, ...option });
    };
    redraw();
    figure.querySelectorAll(".still").forEach((element) => element.setAttribute("hidden", ""));
    if (data.kind === "network") figure.querySelector(".drawing").before(controls(chart, data, view, redraw));
    new ResizeObserver(() => {
      view.width = live.clientWidth;
      chart.resize();
      redraw();
    }).observe(live);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }
})();
