// Site icons for the fake: a coloured shape for most hosts, none for some, so that the monogram is seen too.

export function fakeIcon(pageUrl: string): string | null {
  let hash = 7;
  for (const letter of new URL(pageUrl).host) hash = (hash * 31 + letter.charCodeAt(0)) % 3600;
  if (hash % 3 === 0) return null;
  const shape = hash % 2 ? "<circle cx='8' cy='8' r='7'/>" : "<rect x='1' y='1' width='14' height='14' rx='3'/>";
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='hsl(${hash % 360} 55% 48%)'>${shape}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
