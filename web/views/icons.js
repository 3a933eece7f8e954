// The few line icons of the page, as elements.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  plus: ["M12 5v14", "M5 12h14"],
  back: ["M15 5l-7 7 7 7"],
  people: ["M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7", "M2.5 20c.6-3.600 3.200-5.500 6.500-5.500s5.900 1.900 6.500 5.500", "M16 4.500a3.500 3.500 0 0 1 0 6.300", "M18 14.800c2 .8 3.200 2.600 3.500 5.200"],
  send: ["M4 12l16-7-5 15-3.500-6.500z", "M11.500 13.500L20 5"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  exit: ["M14 4H6v16h8", "M11 12h10", "M17.500 8.500L21 12l-3.500 3.500"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4"],
  clip: ["M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8.500 8.500a2 2 0 0 1-3-3L14 7"],
  mark: ["M6 3h12v18l-6-4.500L6 21z"],
  down: ["M12 5v14", "M6 13l6 6 6-6"],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
