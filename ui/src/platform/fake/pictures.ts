// Pictures of sources for the fake: drawn landscapes of different shapes, for two sources in three.

import type { OpenMessage, ShownPicture } from "../../bindings/bindings";

const SHAPES = [
  [800, 450],
  [640, 640],
  [480, 640],
  [800, 400],
] as const;

export function fakePictures(message: OpenMessage): ShownPicture[] {
  return message.pages.flatMap((page) => {
    const at = page.number - 1;
    if (at % 3 === 2 || !page.url.startsWith("http")) return [];
    const [width, height] = SHAPES[at % SHAPES.length]!;
    return {
      number: page.number,
      title: page.title,
      page_id: page.page_id,
      url: new URL("/picture.jpg", page.url).href,
      alt: at % 2 ? "" : `What ${page.title} is about`,
      width,
      height,
      data: landscape(width, height, at * 67 + page.title.length * 11),
    };
  });
}

function landscape(width: number, height: number, hue: number): string {
  const hill = (from: number, lightness: number) =>
    `<path d='M0 ${height * from} Q ${width * 0.3} ${height * (from - 0.35)} ${width * 0.6} ${height * from} T ${width} ${height * (from - 0.1)} V ${height} H 0' fill='hsl(${hue % 360} 35% ${lightness}%)'/>`;
  const svg =
    `<svg xmlns='http://www.w3.org/2000/svg' width='${width}' height='${height}'><rect width='100%' height='100%' fill='hsl(${(hue + 30) % 360} 60% 86%)'/>` +
    `<circle cx='${width * 0.72}' cy='${height * 0.28}' r='${height * 0.1}' fill='hsl(45 90% 75%)'/>${hill(0.62, 62)}${hill(0.8, 44)}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
